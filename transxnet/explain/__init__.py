"""Explanations of a model's predictions, one file per method. All return dataclasses of `results` with raw values."""
