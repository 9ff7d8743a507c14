"""Sanity checks of attribution maps: faithfulness, parameter randomization, agreement, out-of-distribution scores."""
