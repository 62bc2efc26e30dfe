"""The stubs of tensorflow-serving-api, against `zsltf serve`: TensorFlow Serving's gRPC."""

from contextlib import contextmanager

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from clients.local_serve import MODEL, serve

NAME, PACKAGE, ANSWER = "tensorflow-serving-api (gRPC)", "tensorflow-serving-api", "scores"


@contextmanager
def opened(path):
    """Images, and class vectors with bias if they are not the file's -> scores."""
    with serve(path) as addresses, grpc.insecure_channel(addresses["gRPC:"]) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

        def scores(images, table=None):
            request = predict_pb2.PredictRequest()
            request.model_spec.name = MODEL
            inputs, request.model_spec.signature_name = {"images": images}, "serving_default"
            if table is not None:
                inputs |= {"class_vectors": table[0], "class_bias": table[1]}
                request.model_spec.signature_name = "open_vocabulary"
            for name, value in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            return tf.make_ndarray(stub.Predict(request, timeout=60).outputs[ANSWER])

        yield scores
