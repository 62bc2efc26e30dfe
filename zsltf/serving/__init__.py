"""Serving: a folder that TensorFlow Serving takes, and a local server and a client of the same protocol."""
