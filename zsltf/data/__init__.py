"""Data: class tables, features, images."""
