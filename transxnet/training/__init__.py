"""Recipes as data, the loop that follows them, and the evaluation of what comes out."""
