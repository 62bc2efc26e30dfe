"""OpenCV's DNN module, with its default engine: the classic one is wrong when shapes change."""

from contextlib import contextmanager

import cv2

NAME, PACKAGE, ANSWER = "OpenCV DNN", "opencv-contrib-python", "scores"


@contextmanager
def opened(path):
    """Images, and class vectors with bias if they are not the file's -> scores."""
    network = cv2.dnn.readNetFromONNX(str(path))

    def scores(images, table=None):
        network.setInput(images, "images")
        if table is not None:
            network.setInput(table[0], "class_vectors")
            network.setInput(table[1], "class_bias")
        return network.forward(ANSWER)

    yield scores
