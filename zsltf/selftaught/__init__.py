"""Self-taught learning: unlabelled data first, of the same classes or of others; one method, one file."""
