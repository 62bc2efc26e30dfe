"""Text encoders: sentences to vectors, one a file."""
