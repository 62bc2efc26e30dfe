"""Transfer learning methods, one a file."""
