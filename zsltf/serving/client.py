"""Typed clients of TensorFlow Serving's protocol: REST and gRPC, each for plain and for asynchronous code.

    with RestClient("http://127.0.0.1:8501", "animals") as client:
        for prediction in client.run(classify([Path("photo.jpg")])):
            print(prediction.label)

They run the calls of `zsltf.serving.calls`. REST needs neither TensorFlow nor gRPC.
"""

from zsltf.serving.grpc_client import AsyncGrpcClient, GrpcClient
from zsltf.serving.rest_client import AsyncRestClient, RestClient
from zsltf.serving.target import Retries, ServerError

__all__ = ["AsyncGrpcClient", "AsyncRestClient", "GrpcClient", "RestClient", "Retries", "ServerError"]
