"""Metrics: NumPy functions."""
