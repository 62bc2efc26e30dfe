"""What is wrong with a text that is no JSON, and where, as RapidJSON tells it (error/en.h, reader.h)."""

import json
import math
import re

__all__ = ["CONSTANT", "TOKEN", "half_pair", "syntax_fault", "too_big"]

_MESSAGES = {
    "Expecting property name enclosed in double quotes": "Missing a name for object member.",
    "Illegal trailing comma before end of object": "Missing a name for object member.",
    "Expecting ':' delimiter": "Missing a colon after a name of object member.",
    "Extra data": "The document root must not be followed by other values.",
    "Invalid control character at": "Invalid encoding in string.",
}
_LITERALS = ("null", "true", "false", "NaN", "Infinity", "-NaN", "-Infinity")
CONSTANT = re.compile(r"-?NaN|-?Infinity|-?Inf(?!i)")
TOKEN = re.compile(
    rf'"(?:[^"\\]++|\\.)*+"?|(?P<constant>{CONSTANT.pattern})|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<bracket>[\[\]{{}}])',
    re.DOTALL,
)
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(?P<half>u[dD][89a-fA-F])|.)", re.DOTALL
)
_SEPARATOR = "Expecting ',' delimiter"
_BLANK = " \t\n\r"


def too_big(text: str) -> int:
    """Where the first number is that no float holds."""
    numbers = (token for token in TOKEN.finditer(text) if token["number"] is not None)
    return next(number.start() for number in numbers if math.isinf(float(number[0])))


def half_pair(text: str, end: int) -> int | None:
    """Where an escape is half a surrogate pair."""
    if "\\ud" not in text and "\\uD" not in text:
        return None
    return next((escape.start() for escape in _ESCAPE.finditer(text, 0, end) if escape["half"] is not None), None)


def syntax_fault(text: str, error: json.JSONDecodeError) -> tuple[str, int]:
    """Message and position."""
    message, start = error.msg, error.pos
    if not text.strip(_BLANK):
        return "The document is empty.", len(text)
    if "escape" in message or message.startswith("Unterminated string"):
        return _string_fault(text, error)
    if message.startswith("Illegal trailing comma"):  # Python 3.13 points at the comma
        start = len(text) - len(text[start + 1 :].lstrip(_BLANK))
    if message in (_SEPARATOR, "Extra data"):
        fault = _number_fault(text, start)
        if fault is not None:
            return fault
    if message == _SEPARATOR:
        closing, of = ("]", "array element") if _innermost(text[:start]) == "[" else ("}", "object member")
        return f"Missing a comma or {closing} after an {of}.", start
    if message in _MESSAGES:
        return _MESSAGES[message], start
    begun = max(n for word in _LITERALS for n in range(len(word) + 1) if text.startswith(word[:n], start))
    return "Invalid value.", start + begun


def _string_fault(text: str, error: json.JSONDecodeError) -> tuple[str, int]:
    """Of an escape, or of a string without an end."""
    ends_in_backslash = (len(text) - len(text.rstrip("\\"))) % 2 == 1
    if "escape" not in error.msg and ends_in_backslash:
        return "Invalid escape character in string.", len(text) - 1
    start = text.rfind("\\", 0, error.pos + 1)
    whole = re.fullmatch(r"u[\da-fA-F]{4}", text[start + 1 : start + 6], re.ASCII)
    if "escape" not in error.msg or whole:
        return "Missing a closing quotation mark in string.", len(text)
    if text[start + 1] == "u":
        return "Incorrect hex digit after \\u escape in string.", start
    return "Invalid escape character in string.", start


def _number_fault(text: str, end: int) -> tuple[str, int] | None:
    """If what ends before a point or an exponent is a number that may have one."""
    number, sign = text[len(text[:end].rstrip("0123456789+-.eE")) : end], text[end : end + 1]
    if not number[-1:].isdigit() or "e" in number.lower():
        return None
    if sign == "." and "." not in number:
        return "Miss fraction part in number.", end + 1
    if sign in ("e", "E"):
        return "Miss exponent in number.", end + 1 + (text[end + 1 : end + 2] in ("+", "-"))
    return None


def _innermost(text: str) -> str:
    """The last bracket that is still open."""
    opened: list[str] = []
    for token in TOKEN.finditer(text):
        if token[0] in ("[", "{"):
            opened.append(token[0])
        elif token["bracket"] is not None:
            opened.pop()
    return opened[-1]
