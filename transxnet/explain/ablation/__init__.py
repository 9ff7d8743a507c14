"""Ablations: the prediction with parts of the model switched off or regions of the image occluded."""
