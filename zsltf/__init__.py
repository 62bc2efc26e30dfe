"""zsltf: transfer learning and zero-shot learning in Keras, whose models leave the lab."""

__version__ = "0.1.0"
