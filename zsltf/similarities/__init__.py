"""Similarities: embeddings and class vectors to scores, one a file."""
