"""Backbones: timm's backbones as columns beside TransXNet, for the views that need no TransXNet parts."""
