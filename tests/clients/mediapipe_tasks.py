"""MediaPipe's ImageClassifier: what its Android and iOS libraries wrap."""

from contextlib import contextmanager

import mediapipe
import numpy as np

NAME, PACKAGE, ANSWER = "MediaPipe ImageClassifier", "mediapipe", "probabilities"


@contextmanager
def opened(path):
    """Images -> probabilities, in the order of the file's labels."""
    with _classifier(path) as classifier:

        def probabilities(images, table=None):
            if table is not None:
                raise TypeError("it takes images only")
            rows = [[category.score for category in _categories(classifier, image)] for image in images]
            return np.array(rows, np.float32)

        yield probabilities


def labels(path, image):
    """The names that it gives the classes."""
    with _classifier(path) as classifier:
        return [category.category_name for category in _categories(classifier, image)]


def _classifier(path):
    vision, base = mediapipe.tasks.vision, mediapipe.tasks.BaseOptions(model_asset_path=str(path))
    return vision.ImageClassifier.create_from_options(vision.ImageClassifierOptions(base_options=base))


def _categories(classifier, image):
    pixels = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=image)
    found = classifier.classify(pixels).classifications[0].categories
    return sorted(found, key=lambda category: category.index)
