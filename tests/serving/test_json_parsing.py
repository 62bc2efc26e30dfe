"""JSON as RapidJSON's reader takes it, its messages and their offsets in bytes; none of it slower than linear."""

import math
import time

import pytest

from zsltf.serving.json_parsing import parse
from zsltf.serving.status import RequestError

MARK = b"\xef\xbb\xbf"
COMMA, MEMBER = "Missing a comma or ] after an array element.", "Missing a comma or } after an object member."
QUOTE, ESCAPE = "Missing a closing quotation mark in string.", "Invalid escape character in string."
SURROGATE, BIG = "The surrogate pair in string is invalid.", "Number too big to be stored in double."
NAME, ROOT = "Missing a name for object member.", "The document root must not be followed by other values."


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'[Inf, -Inf, Infinity, -Infinity, "Inf -Inf \\" Inf"]', [math.inf, -math.inf] * 2 + ['Inf -Inf " Inf']),
        (b"-Inf", -math.inf),
        (MARK + b"[1]", [1]),
        (b"[1]\0x", [1]),
        (b'["\xff\xc3"]', ["\udcff\udcc3"]),
        (b'"' + b"1" * 309 + b'"', "1" * 309),
        (b"0." + b"1" * 310, 1 / 9),
        (b"1" * 309, float("1" * 309)),
        (b'["\\ud83d\\ude00", "\\\\ud800"]', ["\U0001f600", "\\ud800"]),
        (b'{"a": Inf, "a": 2}', {"a": math.inf}),
    ],
)
def test_takes_what_rapidjson_takes(body, value):
    assert parse(body) == value


def test_minus_nan_is_nan():
    assert all(map(math.isnan, parse(b"[-NaN, NaN]")))


@pytest.mark.parametrize(
    ("body", "message", "offset"),
    [
        (b"1.", "Miss fraction part in number.", 2),
        (b"[1.]", "Miss fraction part in number.", 3),
        (b"[1e]", "Miss exponent in number.", 3),
        (b"[1E+]", "Miss exponent in number.", 4),
        (b"[1.5.]", COMMA, 4),
        (b"[1e5e]", COMMA, 4),
        (b"01", ROOT, 1),
        (b"[-x]", "Invalid value.", 2),
        (b"[nul]", "Invalid value.", 4),
        (b"[Infi]", "Invalid value.", 5),
        (b"[Infx]", COMMA, 4),
        (b"[Inf, 1", COMMA, 7),
        (b"[NaNi]", COMMA, 4),
        (b"[1e999-]", BIG, 1),
        (b"[1,]", "Invalid value.", 3),
        (b'{"a": 1, }', NAME, 9),
        (b'{"a" 1}', "Missing a colon after a name of object member.", 5),
        (b'{"a": [1, 2}', COMMA, 11),
        (b'{"a": [1, "]"]', MEMBER, 14),
        (b'["a\\" {", {"b": []} 1', COMMA, 20),
        (b'["\xc3\xa9" 1', COMMA, 6),
        (MARK + b"[1", COMMA, 5),
        (b'["abc', QUOTE, 5),
        (b'["abc\\', ESCAPE, 5),
        (b'["abc\\\\', QUOTE, 7),
        (b'["abc\0"]', QUOTE, 5),
        (b'["\\x"]', ESCAPE, 2),
        (b'["\\u12x4"]', "Incorrect hex digit after \\u escape in string.", 2),
        (b'["\\u1234', QUOTE, 8),
        (b'["\\ud800"]', SURROGATE, 2),
        (b'["\\udc00"] x', SURROGATE, 2),
        (b'["\n"]', "Invalid encoding in string.", 2),
        (b'["\xc3\xa9", 1e400]', BIG, 7),
        (b'["1e999", -' + b"2" * 309 + b"]", BIG, 10),
        (b"1" * 5000, BIG, 0),
        (b"  ", "The document is empty.", 2),
        (b"\xff", "Invalid value.", 0),
        (b"[" * 100_000, "Terminate parsing due to Handler error.", 0),
    ],
)
def test_tells_what_is_wrong_as_rapidjson_does(body, message, offset):
    with pytest.raises(RequestError) as refused:
        parse(body)
    assert refused.value.message == f"JSON Parse error: {message} at offset: {offset}"


@pytest.mark.parametrize(
    "body",
    [
        b"[" + (b"1" * 308 + b",") * 6500 + b"x]",
        b'"' + b'\\"' * 1_000_000,
        b"[" + b'"",' * 500_000 + b"]",
        b'["' + b"\\u1234\\\\" * 200_000 + b'"',
    ],
    ids=["digits", "quotes", "strings", "escapes"],
)
def test_two_megabytes_take_no_second(body):
    start = time.process_time()
    with pytest.raises(RequestError):
        parse(body)
    assert time.process_time() - start < 1
