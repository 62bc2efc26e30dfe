"""Self-taught clustering: a few examples without labels, with the help of many others; one method, one file."""
