"""Studies -> files and downloads: sheets and overlays as PNG, raw maps as NPZ, and words that say what each is."""
