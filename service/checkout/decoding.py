"""Decodes JSON strictly: no unknown member, no member twice, nothing converted, and empty strings count as absent."""

import json
import re
from collections import Counter
from functools import cache
from itertools import accumulate
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from service.checkout.errors import FieldError, InvalidRequestError, member_of

T = TypeVar("T", bound=msgspec.Struct)

_DEEPEST = 32
# A string that does not end goes to the end of the body, so that no body is read twice.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # 1 and, as a signed byte, -1
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")

_AT = re.compile(r"(?P<what>.*?)(?: - at `(?P<key>key in )?\$(?P<path>[A-Za-z0-9_.\[\]-]*)`)?", re.DOTALL)
_NAMED = re.compile(r"Object (?P<fault>contains unknown|missing required) field `(?P<name>.*)`", re.DOTALL)
_FAULTS = {"contains unknown": "There is no such member.", "missing required": "This member is required."}


def decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """A struct of a body; empty strings count as absent.

    Raises:
        InvalidRequestError: not JSON, too deep, not the documented members, or a member twice; names the place.
    """
    if body.count(b"[") + body.count(b"{") > _DEEPEST and _is_too_deep(body):
        raise InvalidRequestError("The body is nested too deeply.")
    try:
        decoded = decoder.decode(body)
        refuse_duplicates(body)
    except msgspec.ValidationError as error:
        raise _invalid_member(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        raise InvalidRequestError("The body is not valid JSON.") from error
    return without_blanks(decoded) if b'""' in body else decoded


def _is_too_deep(body: bytes) -> bool:
    """Whether more objects and lists stand in one another than in anything that is documented."""
    steps = memoryview(_STRING.sub(b"", body).translate(_STEPS, _NO_BRACKETS)).cast("b")
    return max(accumulate(steps), default=0) > _DEEPEST


def refuse_duplicates(body: bytes) -> None:
    """Pass JSON in which no object has a member twice.

    Raises:
        InvalidRequestError: one has.
        ValueError: this is no JSON.
    """
    if not _comes_back(body):
        _duplicates.decode(body.decode())


def _comes_back(body: bytes) -> bool:
    """Whether JSON, read and written again, is the same to the letter, which it is not with a member twice.

    What browsers write is; it is the quick way past a slower look at all the rest. That includes whatever holds a
    number with a fraction or an exponent: some take 10 us to read, and a stranger may send 10,000 of them.
    """
    try:
        return _encode(_decode(body)) == body
    except (msgspec.DecodeError, RecursionError):
        return False


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> None:
    # msgspec takes the last of two equal members, other readers the first: two truths about one request.
    if len({name for name, _ in pairs}) != len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        error = FieldError(field=member_of("", twice), detail="This member stands twice in one object: keep one.")
        raise InvalidRequestError("A member stands twice.", errors=(error,))


_decode, _encode = msgspec.json.Decoder(float_hook=str).decode, msgspec.json.Encoder().encode
_duplicates = json.JSONDecoder(object_pairs_hook=_refuse_duplicates)


def _invalid_member(message: str) -> InvalidRequestError:
    """What the decoder said, as the place and our words: never a value, which may be personal."""
    found = _AT.fullmatch(message)
    what, path = (found["what"], (found["path"] or "").lstrip(".")) if found else (message, "")
    if named := _NAMED.fullmatch(what):
        path = member_of(path, named["name"])
        detail = _FAULTS[named["fault"]]
    elif what.startswith("Invalid "):
        detail = "This is none of the documented values."
    elif "regex" in what:
        detail = "This has not the documented form."
    else:
        detail = f"{what}."
    error = FieldError(field=path, detail=detail)
    return InvalidRequestError("A member of the body is not as documented.", errors=(error,))


def without_blanks(struct: T) -> T:
    """The same with every empty string as if it had not been sent, also inside."""
    changes: dict[str, object] = {}
    for name, default in _defaults(type(struct)).items():
        value = getattr(struct, name)
        if value == "" and default is not msgspec.NODEFAULT:
            changes[name] = default
        elif isinstance(value, msgspec.Struct):
            changes[name] = without_blanks(value)
        elif isinstance(value, tuple):
            given = (one for one in value if one != "")
            changes[name] = tuple(without_blanks(one) if isinstance(one, msgspec.Struct) else one for one in given)
        elif isinstance(value, dict):
            changes[name] = {key: one for key, one in value.items() if one != ""}
    return replace(struct, **changes)


@cache
def _defaults(kind: type[msgspec.Struct]) -> dict[str, object]:
    return {field.name: field.default for field in msgspec.structs.fields(kind)}
