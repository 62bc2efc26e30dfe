"""The format written by hand, opcode by opcode: torch is needed neither here nor in zsltf."""

import hashlib
import os
import pickle
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zsltf.pretrained import torch_file
from zsltf.pretrained.torch_file import read_state_dict

HEADER = [0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}]
ORDERED_DICT, REBUILD = b"ccollections\nOrderedDict\n", b"ctorch._utils\n_rebuild_tensor_v2\n"
NUMBERS = np.arange(12, dtype="<f4")


def plain(value: object) -> bytes:
    return pickle.dumps(value, 2)[2:-1]  # without PROTO and STOP


def tensor(shape, strides, offset=0, *, key="7", count=12, kind="Float", view=None) -> bytes:
    storage = plain("storage") + f"ctorch\n{kind}Storage\n".encode() + plain(key) + plain("cpu") + plain(count)
    numbers = b"(" + storage + plain(view) + b"tQ" + plain(offset) + plain(shape) + plain(strides)
    return REBUILD + b"(" + numbers + plain(False) + ORDERED_DICT + b")RtR"


def state_dict(**tensors: bytes) -> bytes:
    items = b"".join(plain(name) + value for name, value in tensors.items())
    return b"\x80\x02" + ORDERED_DICT + b")R(" + items + b"u}" + plain("_metadata") + plain({}) + b"sb."


def file(state: bytes, storages=None, header=HEADER) -> bytes:
    storages = {"7": NUMBERS} if storages is None else storages
    pickles = b"".join(pickle.dumps(part, 2) for part in header) + state + pickle.dumps([*storages], 2)
    return pickles + b"".join(struct.pack("<q", vector.size) + vector.tobytes() for vector in storages.values())


@pytest.fixture
def read(tmp_path):
    def read(data: bytes, sha256: str | None = None) -> dict[str, np.ndarray]:
        (tmp_path / "weights.pth").write_bytes(data)
        return read_state_dict(tmp_path / "weights.pth", sha256)

    return read


ONE = tensor((1,), (1,))
WHOLE = file(state_dict(weight=tensor((3, 4), (4, 1)), bias=tensor((), (), offset=11)))


def test_tensors_come_back_with_their_views(read):
    storages = {"7": NUMBERS, "long": np.array([41], "<i8"), "none": np.zeros(0, "<f8")}
    tensors = {"plain": tensor((3, 4), (4, 1)), "turned": tensor((4, 3), (1, 4)), "part": tensor((2, 2), (4, 1), 6)}
    tensors["number"] = tensor((), (), key="long", count=1, kind="Long")
    tensors["nothing"] = tensor((0, 5), (5, 1), key="none", count=0, kind="Double")
    arrays = read(file(state_dict(**tensors), storages))
    matrix = NUMBERS.reshape(3, 4)
    expected = {"plain": matrix, "turned": matrix.T, "part": matrix[1:, 2:], "number": np.array(41, "<i8")}
    expected["nothing"] = np.zeros((0, 5))
    assert list(arrays) == list(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(arrays[name], value, strict=True)
        assert not arrays[name].flags.writeable


@pytest.mark.parametrize("kind", [("Half", "<f2"), ("Double", "<f8"), ("Bool", "?"), ("Byte", "u1"), ("Char", "i1")])
def test_each_type_of_number(read, kind):
    numbers = np.array([0, 1, 1], kind[1])
    data = file(state_dict(x=tensor((3,), (1,), count=3, kind=kind[0])), {"7": numbers})
    np.testing.assert_array_equal(read(data)["x"], numbers, strict=True)


class Attack:
    def __init__(self, call, argument):
        self.call, self.argument = call, argument

    def __reduce__(self):
        return self.call, (self.argument,)


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("call", [os.system, eval])
def test_a_call_is_refused_and_not_made(read, tmp_path, call, place):
    mark = tmp_path / "mark"
    attack = Attack(
        call, f"touch {mark}" if call is os.system else f"__import__('pathlib').Path({str(mark)!r}).touch()"
    )
    attack.call(attack.argument)
    assert mark.exists()  # it works ...
    mark.unlink()
    parts = [*[*HEADER, {}, []][:place], attack]
    with pytest.raises(ValueError, match=rf"received the name \w+\.{call.__name__}\. It might run code\."):
        read(b"".join(pickle.dumps(part, 2) for part in parts))
    assert not mark.exists()  # ... but not here


def test_the_unpickler_knows_no_other_name_by_itself(read, tmp_path, monkeypatch):
    monkeypatch.setattr(torch_file, "_refused", lambda stream: None)
    with pytest.raises(ValueError, match=r"pickle: expected a whole one, received KeyError: '\w+ system'"):
        read(pickle.dumps(Attack(os.system, f"touch {tmp_path / 'mark'}"), 2))
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (file(b"\x80\x02ctorch.storage\n_load_from_bytes\n."), "the name torch.storage._load_from_bytes"),
        (file(pickle.dumps(os.getcwd, 4)), "the opcode FRAME"),
        (file(b"\x80\x02" + REBUILD + b"}b."), "TypeError"),  # would change the stand-in's class
        (file(b"\x80\x02" + ORDERED_DICT + plain(([],)) + b"R."), "TypeError"),
        (file(state_dict(x=ONE + b"}b")), "a tensor with attributes"),
        (file(b"\x80\x02" + plain([1]) + b"."), "expected a state dict, received a list"),
        (file(state_dict(state_dict=ORDERED_DICT + b")R")), "tensors under text names, received a _StateDict"),
        (file(state_dict(epoch=plain(3))), "tensors under text names, received a int"),
        (file(state_dict(x=ONE), header=[1, *HEADER[1:]]), "format: .* Save it again"),
        (file(state_dict(x=ONE), header=[*HEADER[:2], {"little_endian": False}]), "byte order: .* Save it again"),
        (b"PK\x03\x04", "received a zip archive. Save it again .*_use_new_zipfile_serialization=False"),
        (file(state_dict(x=ONE, y=tensor((1,), (1,), count=11))), "storage of 'y': expected one known type, key"),
        (file(state_dict(x=ONE), {}), "storages: expected the 1 that the tensors use"),
        (file(state_dict(x=ONE), {"7": NUMBERS, "8": NUMBERS}), "storages: expected the 1"),
        (file(state_dict(x=ONE)) + b"x", "end: expected byte"),
    ],
)
def test_what_is_no_whole_state_dict_is_refused(read, data, message):
    with pytest.raises(ValueError, match=message):
        read(data)
    assert read(WHOLE).keys() == {"weight", "bias"}  # and the reader is as it was


# fmt: off
OUTSIDE = [  # shape, strides, offset
    ((3, 4), (5, 1), 0), ((13,), (1,), 0), ((3, 4), (4, 1), 1), ((0, 4), (4, 1), 13),  # too far
    ((2**62, 4), (0, 0), 0), ((13,), (0,), 0),  # one number many times
    ((3, 4), (4, -1), 0), ((-3, 4), (4, 1), 0), ((3, 4), (4, 1), -1),  # negative
    ((3, 4), (4,), 0), ((1,) * 9, (1,) * 9, 0), ((3.0, 4), (4, 1), 0), (3, (4,), 0),  # no axes
]
# fmt: on


@pytest.mark.parametrize("numbers", OUTSIDE)
def test_a_tensor_outside_its_storage_is_refused(read, numbers):
    with pytest.raises(ValueError, match=r"'x': expected"):
        read(file(state_dict(x=tensor(*numbers))))


@pytest.mark.parametrize("odd", [{"count": n} for n in (-1, 1.5, 11, 13, 2**63)] + [{"key": 7}, {"view": ("8", 0, 1)}])
def test_an_odd_storage_is_refused(read, odd):
    with pytest.raises(ValueError, match=r"(storage of 'x': expected one known type|storage 7: expected \d+ numbers)"):
        read(file(state_dict(x=tensor((1,), (1,), **odd))))


def test_every_truncation_is_refused(read):
    for end in range(len(WHOLE)):
        with pytest.raises(ValueError, match=r"(Get the file again|Save it again)"):
            read(WHOLE[:end])


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_a_damaged_byte_gives_arrays_or_a_clear_error(tmp_path_factory, place, byte):
    path = tmp_path_factory.getbasetemp() / "damaged.pth"
    path.write_bytes(WHOLE[:place] + bytes([byte]) + WHOLE[place + 1 :])
    try:
        arrays = read_state_dict(path)
        message = "" if all(isinstance(array, np.ndarray) for array in arrays.values()) else "no arrays"
    except ValueError as error:
        message = str(error)
    assert not message or ": expected " in message


def test_the_hash_is_checked_before_the_pickle_is_read(read, monkeypatch):
    digest = hashlib.sha256(WHOLE).hexdigest()
    assert read(WHOLE, digest.upper()).keys() == {"weight", "bias"}
    monkeypatch.setattr(torch_file, "_read", lambda data: pytest.fail("read before it was checked"))
    with pytest.raises(ValueError, match=rf"sha256: expected {'0' * 64}, received {digest}"):
        read(WHOLE, "0" * 64)


@pytest.mark.parametrize(
    "greedy",
    [
        b"\x80\x02Nr\xff\xff\xff\x7f.",  # a memo of two thousand million entries
        b"\x80\x02X\xff\xff\xff\x7f.",  # a text as long
        b"\x80\x05\x96\x00\x00\x00\x00\x02\x00\x00\x00.",  # 8 GB of bytes
        b"\x80\x02" + plain("x" * 2**22) + b".",  # a pickle of more than 4 MB
    ],
)
def test_a_small_file_cannot_take_much_memory(read, greedy):
    data = file(greedy)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="pickle: expected"):
            read(data)
        assert tracemalloc.get_traced_memory()[1] < 2**25
    finally:
        tracemalloc.stop()
