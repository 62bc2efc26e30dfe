"""Plain Keras layers, usable in anybody's model."""
