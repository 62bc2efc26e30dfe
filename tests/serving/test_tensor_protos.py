"""Tensors in gRPC's messages: what they stand for, and what they may not grow to."""

import threading
import tracemalloc

import grpc
import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from serving.contract_models import write
from serving.local_server import models_config, running
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from zsltf.serving import grpc_services
from zsltf.serving.server import ServerOptions
from zsltf.serving.tensor_protos import from_array, to_array


def proto_of(dtype, shape, **fields):
    return tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum, tensor_shape=tf.TensorShape(shape).as_proto(), **fields)


TINY = [
    proto_of(tf.float64, [2**27]),
    proto_of(tf.float64, [2**27], double_val=[1.0]),
    proto_of(tf.float16, [2**30], half_val=[15360]),
    proto_of(tf.bfloat16, [2**30]),
    proto_of(tf.complex64, [2**30], scomplex_val=[1.0, 2.0]),
    proto_of(tf.qint8, [2**30], int_val=[1]),
    proto_of(tf.string, [2**22], string_val=[b""]),
    proto_of(tf.string, [2**12], string_val=[bytes(2**20)]),
    proto_of(tf.bool, [2**30], bool_val=[True]),
    proto_of(tf.int32, [2**62] * 254),
    proto_of(tf.int32, [1] * 255),
    proto_of(tf.int32, [2**40, 2**40]),
]


@pytest.mark.parametrize("proto", TINY, ids=lambda proto: f"{proto.dtype} {proto.ByteSize()} bytes")
def test_a_small_message_does_not_expand_beyond_the_limit(proto):
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"repeated|shape|type"):
        to_array(proto)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**21


def test_what_is_written_out_is_not_limited():
    values = np.arange(1000, dtype=np.int32)
    proto = proto_of(tf.int32, [1000], int_val=values)
    np.testing.assert_array_equal(to_array(proto, largest_repeat=0), values)
    np.testing.assert_array_equal(to_array(tf.make_tensor_proto(values), largest_repeat=0), values)
    words = [b"a", bytes(2**20)]
    assert to_array(proto_of(tf.string, [2], string_val=words), largest_repeat=0).tolist() == words


def test_long_lists_are_read_whole():
    values = np.random.default_rng(0).normal(size=2**17 + 3).astype(np.float32)
    proto = proto_of(tf.float32, [2**17 + 4], float_val=values)
    np.testing.assert_array_equal(to_array(proto), np.append(values, values[-1]))


FIELDS = [
    (np.float16([1, -2, np.inf]), "half_val", [15360, 49152, 31744]),
    (np.array([1, -2], ml_dtypes.bfloat16), "half_val", [16256, 49152]),
    (np.complex64([1 + 2j, -3]), "scomplex_val", [1, 2, -3, 0]),
    (np.complex128([[1 + 2j], [-3]]), "dcomplex_val", [1, 2, -3, 0]),
    (np.int8([-1, 2]), "int_val", [-1, 2]),
    (np.array([b"a", b""], object), "string_val", [b"a", b""]),
]


@pytest.mark.parametrize(("array", "field", "values"), FIELDS, ids=lambda given: str(getattr(given, "dtype", "")))
def test_every_type_has_its_field(array, field, values):
    proto = from_array(array)
    assert list(getattr(proto, field)) == values
    assert not proto.tensor_content
    np.testing.assert_array_equal(to_array(proto), array)
    np.testing.assert_array_equal(tf.make_ndarray(proto), array)


def test_a_transposed_array_is_told_in_its_order():
    array = np.arange(6, dtype=np.complex64).reshape(2, 3).T
    np.testing.assert_array_equal(to_array(from_array(array)), array)


@pytest.mark.parametrize(
    ("dtype", "fields", "expected"),
    [
        (tf.uint8, {"int_val": [300, -1]}, np.uint8([44, 255, 255])),
        (tf.int16, {"int_val": [2**15]}, np.int16([-(2**15)] * 3)),
        (tf.float16, {"half_val": [15360]}, np.float16([1, 1, 1])),
        (tf.float16, {"half_val": [2**16 + 15360]}, np.float16([1, 1, 1])),
        (tf.complex64, {"scomplex_val": [1, 2, 3]}, np.complex64([1 + 2j] * 3)),
        (tf.complex64, {"scomplex_val": [1]}, np.complex64([0, 0, 0])),
        (tf.bfloat16, {}, np.zeros(3, ml_dtypes.bfloat16)),
        (tf.string, {}, np.array([b""] * 3, object)),
    ],
)
def test_values_are_cast_and_repeated_as_tensorflow_does(dtype, fields, expected):
    found = to_array(proto_of(dtype, [3], **fields))
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    names = ("ident_float32", "ident_float16")
    bases = {name: tmp_path_factory.mktemp(name) for name in names}
    for name, base in bases.items():
        write(name, base)
    with running(models_config(bases), ServerOptions(rest_port=None, grpc_port=0)) as found:
        yield found


@pytest.fixture
def predict(addresses):
    """Send x to a model."""
    with grpc.insecure_channel(addresses.grpc) as channel:
        service = prediction_service_pb2_grpc.PredictionServiceStub(channel)

        def call(model, proto):
            request = predict_pb2.PredictRequest(inputs={"x": proto})
            request.model_spec.name = model
            return service.Predict(request, timeout=120).outputs["y"]

        yield call


def test_the_type_is_checked_before_anything_is_built(predict):
    with pytest.raises(grpc.RpcError) as refused:
        predict("ident_float32", proto_of(tf.float64, [2**22]))
    assert refused.value.details() == "Expects arg[0] to be float but double is provided"


def test_too_large_a_repeat_is_told_as_tensorflow_serving_does(predict):
    with pytest.raises(grpc.RpcError) as refused:
        predict("ident_float16", proto_of(tf.float16, [2**30], half_val=[15360]))
    assert (refused.value.code().name, refused.value.details()) == ("INVALID_ARGUMENT", "tensor parsing error: x")


@pytest.mark.parametrize(("places", "elsewhere"), [(10, False), (10**6, True)])
def test_large_tensors_are_read_and_written_by_another_thread(predict, monkeypatch, places, elsewhere):
    threads = []

    def recorded(function):
        def call(*given):
            threads.append(threading.current_thread())
            return function(*given)

        return call

    for function in (to_array, from_array):
        monkeypatch.setattr(grpc_services, function.__name__, recorded(function))
    predict("ident_float32", proto_of(tf.float32, [places]))
    assert [thread.name.startswith("asyncio") for thread in threads] == [elsewhere, elsewhere]
