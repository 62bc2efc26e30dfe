"""Backbones' common parts: the type, weights, extraction."""
