"""Effective receptive fields: of one unit, decomposed by pathway, and averaged over many images."""
