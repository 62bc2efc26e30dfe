"""What is true of an exported file."""
