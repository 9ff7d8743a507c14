"""Where weights come from: sources, downloads, checkpoints, and `load`."""
