"""Every model of a server: which are served is set by a ModelServerConfig, as a whole.

The order of the checks and their messages are those of tensorflow_serving/model_servers/server_core.cc.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
from tensorflow_serving.config import model_server_config_pb2

from zsltf.serving.batching import BatchingOptions
from zsltf.serving.inference import check_images
from zsltf.serving.json_values import invalid
from zsltf.serving.model_configs import check, policy
from zsltf.serving.servable import Servable, Tensors, load
from zsltf.serving.status import RequestError, runtime_errors
from zsltf.serving.versions import Model, State, Version
from zsltf.serving.warmup import replay

__all__ = ["Models"]

_KIND = "ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently supported"


class Models:
    """By name; all but loading and running happens in one event loop.

    Args:
        executor: where versions run.
        batching: options of the queues; None runs each request by itself.
        labels_in_advance: whether a label may name a version that isn't loaded, if the label is new.
        largest_image: pixels of an encoded image that a request may hold.
    """

    def __init__(
        self,
        executor: Executor,
        batching: BatchingOptions | None = None,
        *,
        labels_in_advance: bool = False,
        largest_image: int = 10**8,
    ) -> None:
        self._executor, self._batching, self._labels_in_advance = executor, batching, labels_in_advance
        self._largest_image = largest_image
        self._loader = ThreadPoolExecutor(thread_name_prefix="load")
        self._models: dict[str, Model] = {}
        self._changing = asyncio.Lock()

    async def configure(self, config: model_server_config_pb2.ModelServerConfig) -> None:
        """Serve these models and no others; returns when new ones are available.

        Whoever stops waiting for it does not stop it, and one config is carried out after the other.

        Raises:
            RequestError: if the config is not one, a label names no version, or a new model doesn't load.
        """
        task = asyncio.create_task(self._configured(config))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.shield(task)

    async def _configured(self, config: model_server_config_pb2.ModelServerConfig) -> None:
        async with self._changing:
            await self._change(config)

    async def _change(self, config: model_server_config_pb2.ModelServerConfig) -> None:
        if config.WhichOneof("config") != "model_config_list":
            raise invalid(_KIND)
        configs = list(config.model_config_list.config)
        check(configs, self._models)
        for given in configs:
            self._check_labels(given)
        new = [given for given in configs if given.name not in self._models]
        gone = [name for name in self._models if name not in {given.name for given in configs}]
        for given in configs:
            model = self._models.get(given.name)
            if model is None:
                model = self._models[given.name] = Model(
                    given.name,
                    Path(given.base_path),
                    policy(given),
                    {},
                    self._batching,
                    self._executor,
                    self._loader,
                    _opened,
                )
            model.base_path, model.policy = Path(given.base_path), policy(given)
            model.labels = dict(given.version_labels)
        await self.refresh()
        closing = [self._models.pop(name) for name in gone]
        await asyncio.gather(*(model.close() for model in closing))
        self._check_available(new)

    async def refresh(self) -> None:
        """Look for versions that came or went."""
        await asyncio.gather(*(model.refresh() for model in list(self._models.values())))

    async def close(self) -> None:
        """Unload all, after the requests that are being answered."""
        await asyncio.gather(*(model.close() for model in self._models.values()))
        self._loader.shutdown(wait=False)

    def version(self, name: str, number: int | None = None, label: str | None = None) -> Version:
        """The version that answers: by number, by label, or the largest.

        Raises:
            RequestError: if there is none.
        """
        if not name:
            raise invalid("ModelSpec has no name specified.")
        model = self._models.get(name)
        if label:
            if model is None or label not in model.labels:
                raise invalid(f"Unrecognized servable version label: {label}")
            number = model.labels[label]
        ready = model.available if model is not None else []
        found = [version for version in ready if number in (None, version.number)]
        if not found:
            what = f"Latest({name})" if number is None else f"Specific({name}, {number})"
            raise RequestError(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {what}")
        return found[-1]

    def available(self) -> list[str]:
        """Names of those that answer, in the order of the config."""
        return [name for name, model in self._models.items() if model.available]

    def __contains__(self, name: str) -> bool:
        return name in self._models

    def tracked(self, name: str, number: int | None = None) -> list[Version]:
        """All versions that were ever there, the newest first, or one of them.

        Raises:
            RequestError: if there is none.
        """
        model = self._models.get(name)
        versions = sorted(model.versions.values(), key=lambda v: -v.number) if model is not None else []
        if not versions:
            message = f"Could not find any versions of model {name}"
            raise RequestError(grpc.StatusCode.NOT_FOUND, message)
        found = [version for version in versions if number in (None, version.number)]
        if not found:
            message = f"Could not find version {number} of model {name}"
            raise RequestError(grpc.StatusCode.NOT_FOUND, message)
        return found

    async def run(self, version: Version, signature: str, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        """One signature, as part of a batch where its requests can be joined.

        Raises:
            RequestError: for what the runtime refuses.
        """
        strings = sum(value.size for value in inputs.values() if value.dtype == object)
        if strings < 256:
            check_images(inputs, self._largest_image)
        else:
            await asyncio.to_thread(check_images, inputs, self._largest_image)
        with version.used() as servable, runtime_errors():
            batcher = version.batchers.get(signature)
            if batcher is not None and len(outputs) == len(servable.signatures[signature].outputs) and _rows(inputs):
                return await batcher(inputs)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, servable.run, signature, inputs, outputs)

    def _check_labels(self, given: model_server_config_pb2.ModelConfig) -> None:
        model = self._models.get(given.name)
        available = {version.number for version in model.available} if model is not None else set()
        known = model.labels if model is not None else {}
        for label, number in given.version_labels.items():
            in_advance = self._labels_in_advance and known.get(label, number) == number
            if number not in available and not in_advance:
                message = f"Request to assign label to version {number} of model {given.name}"
                code = grpc.StatusCode.FAILED_PRECONDITION
                raise RequestError(code, f"{message}, which is not currently available for inference")

    def _check_available(self, new: Sequence[model_server_config_pb2.ModelConfig]) -> None:
        missing = [self._models[given.name] for given in new if not self._models[given.name].available]
        if missing:
            told = ""
            for model in missing:
                failed = [version for version in model.versions.values() if version.state is State.END]
                why = failed[-1].error if failed else f"no version in {model.base_path}"
                number = failed[-1].number if failed else 0
                told += f"{{{{name: {model.name} version: {number}}} due to error: {why}}}, "
            message = f"{len(missing)} model(s) did not become available: {{{told}}}"
            raise RequestError(grpc.StatusCode.UNKNOWN, message)


def _opened(path: Path) -> Servable:
    servable = load(path)
    replay(servable, path)
    return servable


def _rows(inputs: Tensors) -> bool:
    return all(isinstance(value, np.ndarray) and value.ndim and len(value) for value in inputs.values())
