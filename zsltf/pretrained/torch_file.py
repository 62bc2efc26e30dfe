"""A PyTorch state dict read without PyTorch, by an unpickler that can only describe tensors.

A pickle is a program: reading one as it comes runs what its author wrote. Here its opcodes and names are judged before
it is run, no name reaches a real function, and what it builds is a description that is judged again.
"""

import hashlib
import io
import math
import pickle
import pickletools
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from zsltf.checks import fail

__all__ = ["read_state_dict"]


class _StateDict(dict[Any, Any]):
    """Stands in for OrderedDict; torch's module versions, its attributes, are dropped."""

    def __init__(self) -> None:  # no arguments: a copy for every opcode would fill the memory
        super().__init__()

    def __setstate__(self, state: object) -> None:
        pass


class _Storage(NamedTuple):
    """A persistent id as the file gives it: a run of numbers, whose bytes follow the pickles."""

    kind: Any
    dtype: Any
    key: Any
    place: Any
    count: Any
    view: Any


class _Tensor(NamedTuple):
    """The arguments of torch's _rebuild_tensor_v2 as the file gives them."""

    storage: Any
    offset: Any
    shape: Any
    strides: Any
    requires_grad: Any
    hooks: Any

    def __setstate__(self, state: object) -> None:  # or a pickle could change the class itself
        raise TypeError("a tensor with attributes")


_DTYPES = {"Half": "<f2", "Float": "<f4", "Double": "<f8", "Bool": "|b1", "Byte": "|u1", "Char": "|i1"}
_DTYPES |= {"Short": "<i2", "Int": "<i4", "Long": "<i8"}
_NAMES: dict[str, Any] = {f"torch {kind}Storage": dtype for kind, dtype in _DTYPES.items()}
_NAMES |= {"collections OrderedDict": _StateDict, "torch._utils _rebuild_tensor_v2": _Tensor}
# fmt: off
_OPCODES = frozenset((
    "APPEND", "APPENDS", "BINFLOAT", "BINGET", "BININT", "BININT1", "BININT2", "BINPERSID", "BINPUT", "BINUNICODE",
    "BUILD", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "GLOBAL", "LONG1", "LONG_BINGET", "LONG_BINPUT", "MARK",
    "NEWFALSE", "NEWTRUE", "NONE", "PROTO", "REDUCE", "SETITEM", "SETITEMS", "STOP", "TUPLE", "TUPLE1", "TUPLE2",
    "TUPLE3",
))
# fmt: on
_LARGEST_PICKLE = 2**22  # bytes, of about 150 a tensor: bounds the memory that its objects take
_DEEPEST = 16  # tuples within tuples, of 5 in use: hashing them recurses in C, without a limit
_DAMAGED = "Get the file again."
_RESAVE = "Save it again with torch.save(model.state_dict(), path, _use_new_zipfile_serialization=False)."


class _Unpickler(pickle.Unpickler):
    """Knows the names of _NAMES and imports nothing."""

    def find_class(self, module: str, name: str) -> Any:
        return _NAMES[f"{module} {name}"]

    def persistent_load(self, pid: Any) -> _Storage:
        return _Storage(*pid)


def read_state_dict(path: Path | str, sha256: str | None = None) -> dict[str, np.ndarray]:
    """Read a state dict that torch.save wrote in its legacy (not zip) format.

    The arrays are read-only views of the file's bytes, so the numbers take the file's size in memory and no more.

    Args:
        path: the .pth or .pt file.
        sha256: its expected hash in hexadecimal, checked before anything is unpickled.

    Raises:
        ValueError: if the hash differs, the file is damaged, or it holds anything but tensors under text names.
    """
    data = Path(path).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if sha256 is not None and digest != sha256.lower():
        fail(f"{path}, sha256", sha256, digest, _DAMAGED)
    try:
        return _read(data)
    except ValueError as error:
        raise ValueError(f"{path}, {error}") from error


def _read(data: bytes) -> dict[str, np.ndarray]:
    """Five pickles (magic number, protocol, system, tensors, storage keys), then the storages."""
    if data.startswith(b"PK"):
        fail("format", "the legacy one", "a zip archive", _RESAVE)
    stream = io.BytesIO(data)  # in memory: a huge length in a pickle allocates no more than is left of the file
    if (_unpickle(stream), _unpickle(stream)) != (0x1950A86A20F9469CFC6C, 1001):
        fail("format", "torch's magic number and protocol 1001", "others", _RESAVE)
    system, tensors, keys = _unpickle(stream), _unpickle(stream), _unpickle(stream)
    if not (isinstance(system, dict) and system.get("little_endian") is True):
        fail("byte order", "little-endian", "another", _RESAVE)
    if not isinstance(tensors, dict):
        fail("content", "a state dict", f"a {type(tensors).__name__}", _RESAVE)
    storages = _read_storages(data, stream.tell(), _declared(tensors), keys)
    return {name: _view(name, tensor, storages[tensor.storage.key]) for name, tensor in tensors.items()}


def _unpickle(stream: io.BytesIO) -> Any:
    """Read the next pickle, after a look at its opcodes and names."""
    start = stream.tell()
    try:
        refused = _refused(stream)
        stream.seek(start)
        value = None if refused else _Unpickler(stream).load()
    except Exception as error:  # noqa: BLE001 (a damaged pickle raises nearly anything)
        fail("pickle", "a whole one", f"{type(error).__name__}: {error}", _DAMAGED)
    if refused:
        fail("pickle", "a state dict's names and opcodes only", refused, f"It might run code. {_RESAVE}")
    return value


def _refused(stream: io.BytesIO) -> str | None:
    """The first thing in the next pickle that a state dict has no use for."""
    start = stream.tell()
    operations: Any = pickletools.genops(stream)  # its stubs call everything optional
    depths: list[int] = []  # of nesting, one an object on the unpickler's stack
    marks: list[int] = []
    memo: dict[int, int] = {}
    for opcode, argument, position in operations:
        if opcode.name not in _OPCODES:
            return f"the opcode {opcode.name}"
        if opcode.name == "GLOBAL" and argument not in _NAMES:
            return f"the name {str(argument).replace(' ', '.')}"
        if opcode.name == "LONG_BINPUT" and argument > position:  # memory is taken up to this index
            return f"a memo of {argument}"
        if position - start > _LARGEST_PICKLE:
            return f"more than {_LARGEST_PICKLE} bytes"
        if _nesting(opcode, argument, depths, marks, memo) > _DEEPEST:
            return f"more than {_DEEPEST} levels of nesting"
    return None


def _nesting(opcode: Any, argument: Any, depths: list[int], marks: list[int], memo: dict[int, int]) -> int:
    """Do to the depths what the opcode does to the objects; the depth of what it leaves on the stack."""
    if opcode.name == "MARK":
        marks.append(len(depths))
        return 0
    if opcode.name.endswith("PUT"):
        memo[argument] = depths[-1]
    taken = [kind.name for kind in opcode.stack_before]
    cut = marks.pop() - taken.index("mark") if "mark" in taken else len(depths) - len(taken)
    depth = memo[argument] if opcode.name.endswith("GET") else 1 + max(depths[cut:], default=0)
    depths[cut:] = [depth] * len(opcode.stack_after)
    return depth


def _declared(tensors: Mapping[Any, Any]) -> dict[str, _Storage]:
    """Each storage that the tensors use, by its key."""
    declared: dict[str, _Storage] = {}
    for name, tensor in tensors.items():
        if not (isinstance(name, str) and isinstance(tensor, _Tensor) and isinstance(tensor.storage, _Storage)):
            fail("content", "tensors under text names", f"a {type(tensor).__name__}", _RESAVE)
        kind, dtype, key, _, count, view = storage = tensor.storage
        known = kind == "storage" and dtype in _DTYPES.values() and isinstance(key, str) and _are_counts((count,))
        if not (known and view is None and declared.setdefault(key, storage)[1:5:3] == (dtype, count)):
            fail(f"storage of '{name}'", "one known type, key and count", "another", _DAMAGED)
    return declared


def _read_storages(data: bytes, start: int, declared: Mapping[str, _Storage], keys: Any) -> dict[str, np.ndarray]:
    """Each storage as a vector on the file's own bytes: its count (int64), then its numbers."""
    texts = isinstance(keys, list) and all(isinstance(key, str) for key in keys)
    if not (texts and sorted(keys) == sorted(declared)):
        fail("storages", f"the {len(declared)} that the tensors use", "others", _DAMAGED)
    vectors = {}
    for key in keys:
        dtype, count = np.dtype(declared[key].dtype), declared[key].count
        end = start + 8 + count * dtype.itemsize
        if end > len(data) or struct.unpack_from("<q", data, start)[0] != count:
            fail(f"storage {key}", f"{count} numbers up to byte {end}", f"a file of {len(data)} bytes", _DAMAGED)
        vectors[key] = np.frombuffer(data, dtype, count, start + 8)
        start = end
    if start != len(data):
        fail("end", f"byte {start}", f"a file of {len(data)} bytes", _DAMAGED)
    return vectors


def _view(name: str, tensor: _Tensor, storage: np.ndarray) -> np.ndarray:
    """The tensor as a view of its storage, inside its bounds."""
    _, offset, shape, strides, _, _ = tensor
    if not (all(map(_are_counts, ((offset,), shape, strides))) and len(shape) == len(strides) <= 8):
        fail(f"'{name}'", "an offset and up to 8 axes with a stride each, none negative", "others", _DAMAGED)
    size = math.prod(shape)
    end = offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True)) + 1 if size else offset
    if max(end, size) > storage.size:  # the size, too: with a stride of 0 one number makes a giant
        received = f"shape {shape}, strides {strides}, offset {offset}"
        fail(f"'{name}'", f"a place among its storage's {storage.size} numbers", received, _DAMAGED)
    steps = [stride * storage.itemsize for stride in strides]
    return np.ndarray(shape, storage.dtype, storage.data, offset * storage.itemsize, steps)


def _are_counts(values: Any) -> bool:
    return isinstance(values, tuple) and all(type(value) is int and value >= 0 for value in values)
