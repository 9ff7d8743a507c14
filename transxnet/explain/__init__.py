"""Explanations: one file per question asked of the model. All return `results` dataclasses, raw."""
