"""Heads: from a backbone's features to the scores of a loss, one a file."""
