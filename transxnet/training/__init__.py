"""Training recipes, the training loop, snapshots and bundles, and the evaluation of models."""
