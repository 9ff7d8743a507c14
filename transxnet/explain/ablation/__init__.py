"""Ablations: predictions with parts of the model changed or regions of the image occluded."""
