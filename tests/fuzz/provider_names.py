"""Every member of every provider's requests, as our encoders and the sandbox spell it, in spellings of a stranger."""

import importlib
import json
import re
from collections.abc import Iterator

from msgspec import Struct, inspect

from service.providers.registry import discover
from service.sandbox.fastspring import wire as fastspring
from service.sandbox.paynow import wire as paynow
from tests.support.samples import MEMBERS

importlib.import_module("service.sandbox.app")  # and every struct of the sandbox with it
_GOOD = {member: value for _, member, value in MEMBERS}
_LOOK_ALIKES = str.maketrans("aceiopsxy", "\u0430\u0441\u0435\u0456\u043e\u0440\u0455\u0445\u0443")  # of Cyrillic
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def provider_members() -> list[tuple[str, str, object]]:
    """(provider, name, a good value), each once."""
    found = {
        json.dumps((provider, name, value)): (provider, name, value)
        for provider, kind in _structs()
        for name, value in _members(kind)
    }
    return [found[key] for key in sorted(found)]


def _structs() -> Iterator[tuple[str, type[Struct]]]:
    for provider in discover():
        requests = importlib.import_module(f"service.providers.{provider}.requests")
        ours = (one for one in vars(requests).values() if isinstance(one, type) and issubclass(one, Struct))
        theirs = _descendants(paynow.Wire if provider == "paynow_gg" else fastspring.Wire)
        yield from ((provider, kind) for kind in (*ours, *theirs))


def _descendants(kind: type[Struct]) -> Iterator[type[Struct]]:
    for one in kind.__subclasses__():
        yield one
        yield from _descendants(one)


def _members(kind: type[Struct]) -> Iterator[tuple[str, object]]:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    for field in info.fields:
        yield field.encode_name, _GOOD.get(field.encode_name, _value_of(field.type))


def _value_of(kind: inspect.Type) -> object:  # noqa: PLR0911  # a table of types
    match kind:
        case inspect.UnionType(types=types):
            return next(_value_of(one) for one in types if not isinstance(one, inspect.NoneType))
        case inspect.BoolType():
            return True
        case inspect.IntType() | inspect.FloatType() | inspect.DecimalType():
            return 1
        case inspect.LiteralType(values=values):
            return values[0]
        case inspect.DictType():
            return {"attack": "attack"}
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return [_value_of(item)]
        case inspect.StructType(fields=fields):
            return {field.encode_name: _value_of(field.type) for field in fields}
        case _:
            return "attack"


def usual_spellings(name: str) -> set[str]:
    """As it is, and with the separators of others."""
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
    camel = re.sub(r"_+([a-z0-9])", lambda match: match[1].upper(), snake)
    return {name, snake, camel, snake.replace("_", "-")}


def strange_spellings(name: str, value: object) -> Iterator[tuple[str, object]]:
    """(member, its value): in other cases, with dots, in letters that look alike, in something else and in a list."""
    yield from ((one, value) for one in {name.upper(), name.swapcase(), name.capitalize()} - {name})
    yield from ((one, value) for one in (f"cart.{name}", f"items.0.{name}", f"items[0].{name}", f"customer.{name}"))
    yield from ((name.translate(table), value) for table in (_LOOK_ALIKES, _FULL_WIDTH))
    yield from ((container, {name: value}) for container in ("cart", "order", "session", "__proto__"))
    yield name, [value]
