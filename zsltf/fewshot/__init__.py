"""Few-shot methods, one a file."""
