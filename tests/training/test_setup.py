import dataclasses

import numpy as np
import pytest
from training.problems import CLASSES, FAST, data, examples, losses, network

from zsltf.data.collection import named_classes
from zsltf.heads.attributes import AttributeHead
from zsltf.heads.linear import LinearHead
from zsltf.heads.multi_label import MultiLabelHead
from zsltf.training.engine import train
from zsltf.training.examples import Examples
from zsltf.training.network import Network
from zsltf.training.phases import Phase

LAST = dataclasses.replace(FAST, keep="last")
HEAD = Phase(name="head", epochs=2, learning_rate=1e-2)
Y = np.arange(30) % 3


def labelled(y):
    return Examples(images=examples().images.with_y(np.asarray(y)))


def trained(y, heads=None, options=LAST):
    return train(network(heads), data(train=labelled(y), validation=None), [HEAD], options)


@pytest.mark.parametrize("heads", [{"class": LinearHead()}, {"class": LinearHead(), "attributes": AttributeHead()}])
@pytest.mark.parametrize("y", [np.eye(3)[Y], np.eye(3, dtype=bool)[Y], Y[:, None], Y.astype(np.uint8)])
def test_one_hot_labels_and_integers_of_any_kind_train_alike(heads, y):
    assert losses(trained(y, heads)) == losses(trained(Y, heads))


@pytest.mark.parametrize(
    ("y", "head", "message"),
    [
        (
            np.eye(3)[Y] + (np.arange(30)[:, None] == 4) * np.eye(3)[0],
            LinearHead(),
            r"train labels: expected a single 1 a row of one-hot labels, received 2 for image 4\. Take a ",
        ),
        (Y / 2, LinearHead(), r"train labels: expected integers \(N,\), or one-hot \(N, 3\), received float64 \(30,\)"),
        (np.eye(4)[Y], LinearHead(), r"train labels: expected integers .*, received float64 \(30, 4\)"),
        (Y + 3 * (np.arange(30) == 7), LinearHead(), r"train labels: expected rows 0 to 2 .*, received 4 for image 7"),
    ],
)
def test_labels_that_the_head_does_not_take_are_refused(y, head, message):
    with pytest.raises(ValueError, match=message):
        trained(y, {"class": head})


def test_one_label_an_image_is_a_case_of_several():
    heads = {"class": MultiLabelHead()}
    assert losses(trained(Y, heads)) == losses(trained(np.eye(3)[Y], heads))


def test_a_softmax_over_one_class_is_refused():
    net = Network.build(network().backbone, {"class": LinearHead()}, CLASSES.select([0]))
    with pytest.raises(ValueError, match=r"classes: expected two seen ones to tell apart, received 1\. Add another"):
        train(net, data(train=labelled(0 * Y), validation=None), [HEAD], LAST)


def test_patience_without_validation_images_is_refused():
    options = dataclasses.replace(LAST, patience=2)
    with pytest.raises(ValueError, match=r"patience: expected validation images to watch, received none\. Set some"):
        trained(Y, options=options)


def test_images_of_unseen_classes_are_never_trained_on():
    net = network({"class": LinearHead()})
    net = dataclasses.replace(net, classes=CLASSES.with_seen(np.array([True, True, False])))
    message = r"labels: expected classes that the table marks as seen, received an image of an unseen one, image 2\."
    with pytest.raises(ValueError, match="train " + message):
        train(net, data(), [HEAD], LAST)
    seen = Examples(images=examples().images.select(Y < 2))
    with pytest.raises(ValueError, match="validation " + message):
        train(net, data(train=seen), [HEAD], LAST)
    train(net, data(train=seen, validation=None), [HEAD], LAST)


def test_an_attribute_head_needs_attributes():
    backbone = network().backbone
    bare = Network.build(backbone, {"class": LinearHead()}, named_classes("abc"))
    bare = dataclasses.replace(bare, heads={"class": AttributeHead()})
    with pytest.raises(ValueError, match=r"class table: expected attributes for an attribute head, received none"):
        train(bare, data(), [HEAD], LAST)


def test_class_weights_count_as_weights_of_the_images():
    weights = (0.5, 2.0, 0.0)
    by_class = trained(Y, options=dataclasses.replace(LAST, class_weights=weights))
    each = dataclasses.replace(labelled(Y), sample_weight=np.array(weights, np.float32)[Y])
    heavy = dataclasses.replace(each, sample_weight=each.sample_weight + 1e-12)  # a class of weight 0 has no image
    by_image = train(network(), data(train=heavy, validation=None), [HEAD], LAST)
    np.testing.assert_allclose(losses(by_class), losses(by_image), rtol=1e-6)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ((1.0, 2.0), r"class_weights: expected shape \(3,\), received shape \(2,\)\. Give one number a class"),
        ((1.0, -1.0, 1.0), r"class_weights: expected numbers >= 0, not all 0, received \(1\.0, -1\.0, 1\.0\)"),
        ((0.0, 0.0, 0.0), r"class_weights: expected numbers >= 0, not all 0"),
    ],
)
def test_bad_class_weights_are_refused(weights, message):
    with pytest.raises(ValueError, match=message):
        trained(Y, options=dataclasses.replace(LAST, class_weights=weights))


def test_several_labels_an_image_have_no_class_weights():
    options = dataclasses.replace(LAST, class_weights="balanced")
    with pytest.raises(ValueError, match=r"class_weights: expected none with several labels an image, received balan"):
        trained(np.eye(3)[Y], {"class": MultiLabelHead()}, options)
