"""Zero-shot methods, one a file."""
