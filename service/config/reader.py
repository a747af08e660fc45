"""Reads TOML tables into frozen structs and reports every fault at once, each with its key path and the mend."""

import difflib
import re
import types
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from inspect import getattr_static
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Meta, Struct
from msgspec.structs import FieldInfo

from service.config.file import TextFile, read_text_file
from service.config.secret import Secret, SecretReference, UnusableSecretError, read_secret

S = TypeVar("S", bound=Struct)
Fields = Mapping[str, FieldInfo]


class Note(msgspec.Struct, frozen=True, order=True):
    """One finding about the file: the key path, and what to do about it."""

    path: str
    text: str

    def __str__(self) -> str:
        line = f"{self.path}: {self.text}" if self.path else self.text
        return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in line)


class _Partial:
    """A struct of which some keys could not be read, for its rules alone: it has no attribute for such a key."""

    def __init__(self, kind: type[Struct], values: Mapping[str, object]) -> None:
        self._kind = kind
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> object:
        if name in self._kind.__struct_fields__ or not hasattr(self._kind, name):
            raise AttributeError(name)
        return getattr_static(self._kind, name).__get__(self)


class Reader:
    """One pass over a file: turns tables into structs, gathers `faults`, `warnings`, `inert` keys and secret files.

    A table with a fault reads as None, so that the reading goes on and the next faults are found too. `overrides` says
    which environment variable a key path was set by, for a fault to name it.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.overrides: dict[str, str] = {}
        self.faults: list[Note] = []
        self.warnings: list[Note] = []
        self.inert: list[str] = []
        self.secret_files: list[Path] = []

    def fault(self, path: str, text: str) -> None:
        """Note a fault; the start will stop once everything was read."""
        variable = self.overrides.get(path)
        self.faults.append(Note(path, f"{text} (set by the environment variable {variable})" if variable else text))

    def struct(self, kind: type[S], table: object, path: str, *, skip: frozenset[str] = frozenset()) -> S | None:
        """Read one table. `skip` names keys that the caller reads itself: neither unknown nor required here.

        A struct with rules over several keys has `faults()`, which yields each broken one as (key, what to do).
        """
        if not isinstance(table, dict):
            self.fault(path, f"must be a table, for example [{path}]")
            return None
        known = {field.name: field for field in msgspec.structs.fields(kind)}
        before = len(self.faults)
        for key in table.keys() - known.keys() - skip:
            self.fault(join(path, key), _unknown_key(key, known.keys() | skip))
        values = self._values(known, table, path, skip)
        unreadable = known.keys() - values.keys()
        if unreadable:
            defaults = {key: _default(known[key]) for key in unreadable if _has_default(known[key])}
            self._check_rules(_Partial(kind, values | defaults), unreadable, path)
            return None
        struct = kind(**values)
        self._check_rules(struct, unreadable, path)
        return struct if len(self.faults) == before else None

    def _values(self, known: Fields, table: dict[str, object], path: str, skip: frozenset[str]) -> dict[str, object]:
        """The values of all keys that could be read, defaults included."""
        values: dict[str, object] = {}
        for key, field in known.items():
            before, at = len(self.faults), join(path, key)
            if key in table:
                self._note_inert(field.type, at)
                value = self.value(field.type, table[key], at)
                if len(self.faults) == before:
                    values[key] = value
            elif _has_default(field):
                values[key] = _default(field)
            elif key not in skip:
                self.fault(at, f"is required{_example(field.type)}")
        return values

    def _check_rules(self, struct: Struct | _Partial, unreadable: set[str], path: str) -> None:
        """Ask a struct for its broken rules. What an unreadable key breaks has been said by its own fault."""
        # A rule that needs a required key which could not be read cannot be asked; those before it were.
        with suppress(AttributeError) if unreadable else nullcontext():
            for key, text in getattr(struct, "faults", tuple)():
                head, _, inner = key.partition(".")
                if head.partition("[")[0] not in unreadable:
                    at = f"{path}.{head}" if path else head
                    self.fault(join(at, inner) if inner else at, text)

    def value(self, kind: Any, raw: object, path: str) -> object:  # noqa: ANN401  # a type expression has no narrower type
        """Read one value of any type; a fault is noted, and what is returned then is of no use."""
        kind, constraints = _plain(kind)
        if kind is Secret:
            is_public = any((meta.extra or {}).get("public") for meta in constraints)
            return self._secret(raw, path, is_public=is_public)
        if kind is TextFile:
            return self._text_file(raw, path)
        if isinstance(kind, type) and issubclass(kind, Struct):
            return self.struct(kind, raw, path)
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is tuple and isinstance(raw, list):
            self._fits(list[Any], constraints, raw, path)
            return tuple(self.value(arguments[0], item, f"{path}[{index}]") for index, item in enumerate(raw))
        if origin is dict and isinstance(raw, dict):
            return {
                self.value(arguments[0], key, join(path, key)): self.value(arguments[1], item, join(path, key))
                for key, item in raw.items()
            }
        self._fits(kind, constraints, raw, path)
        return float(raw) if kind is float and isinstance(raw, int) else raw

    def _fits(self, kind: Any, constraints: tuple[Meta, ...], raw: object, path: str) -> None:  # noqa: ANN401  # as above
        annotated: Any = kind
        for constraint in constraints:
            annotated = Annotated[annotated, constraint]
        try:
            msgspec.convert(raw, annotated)
        except msgspec.ValidationError as error:
            self.fault(path, _explanation(error, annotated))

    def _secret(self, raw: object, path: str, *, is_public: bool) -> Secret | None:
        def warn(text: str) -> None:
            if not is_public:
                self.warnings.append(Note(path, text))

        try:
            reference = msgspec.convert(raw, SecretReference)
            if reference.file is not None:
                self.secret_files.append(Path(reference.file))
            return read_secret(reference, self._environ, warn)
        except msgspec.ValidationError:
            self.fault(path, 'must be a reference, never the secret itself: { env = "NAME" } or { file = "/path" }')
        except UnusableSecretError as error:
            self.fault(path, str(error))
        return None

    def _text_file(self, raw: object, path: str) -> TextFile | None:
        if not isinstance(raw, str):
            self.fault(path, "must be the path of a file")
            return None
        self.secret_files.append(Path(raw))
        try:
            return read_text_file(raw)
        except UnusableSecretError as error:
            self.fault(path, str(error))
        return None

    def _note_inert(self, kind: Any, path: str) -> None:  # noqa: ANN401  # as above
        if is_inert(kind):
            self.inert.append(path)


def is_inert(kind: Any) -> bool:  # noqa: ANN401  # a type expression has no narrower type
    """Whether a key of this type has no effect yet."""
    return any((meta.extra or {}).get("effect") for meta in _plain(kind)[1])


def _plain(kind: Any) -> tuple[Any, tuple[Meta, ...]]:  # noqa: ANN401  # a type expression has no narrower type
    """Strip `Annotated` and `| None` from a type expression; the constraints come along."""
    constraints: tuple[Meta, ...] = ()
    while True:
        origin = get_origin(kind)
        if origin is Annotated:
            kind, *metadata = get_args(kind)
            constraints += tuple(item for item in metadata if isinstance(item, Meta))
        elif origin in {Union, types.UnionType} and type(None) in get_args(kind) and len(get_args(kind)) == 2:  # noqa: PLR2004  # `X | None`
            kind = next(argument for argument in get_args(kind) if argument is not type(None))
        else:
            return kind, constraints


def join(path: str, key: str) -> str:
    """A key path as TOML writes it: a key that is more than letters, digits, - and _ stands in quotes."""
    written = key if _BARE_KEY.fullmatch(key) else msgspec.json.encode(key).decode()
    return f"{path}.{written}" if path else written


_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def _has_default(field: FieldInfo) -> bool:
    return field.default is not NODEFAULT or field.default_factory is not NODEFAULT


def _default(field: FieldInfo) -> object:
    return field.default if field.default_factory is NODEFAULT else field.default_factory()


def _unknown_key(key: str, known: set[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f"unknown key; did you mean `{close[0]}`?" if close else "unknown key: remove it"


def _explanation(error: msgspec.ValidationError, kind: Any) -> str:  # noqa: ANN401  # a type expression
    """What is wrong with a value, and how a right one looks; the value itself is never repeated."""
    plain, constraints = _plain(kind)
    if get_origin(plain) is Literal:
        return f"must be one of {', '.join(msgspec.json.encode(word).decode() for word in get_args(plain))}"
    text, example = str(error).replace("`object`", "`table`"), _example(kind)
    if "matching regex" in text:
        patterns = ", ".join(str(meta.pattern).removesuffix(r"(?!\n)") for meta in constraints if meta.pattern)
        return f"must look like {example.removeprefix(_FOR_EXAMPLE)}" if example else f"must match {patterns}"
    return f"{text[:1].lower()}{text[1:]}{example}"


_FOR_EXAMPLE = ", for example "


def _example(kind: Any) -> str:  # noqa: ANN401  # as above
    example = _example_value(kind)
    return _FOR_EXAMPLE + example if example else ""


def _example_value(kind: Any) -> str:  # noqa: ANN401  # as above
    """A right value as TOML; "" when none is known."""
    kind, constraints = _plain(kind)
    if kind is Secret:
        return '{ env = "NAME" }'
    for meta in constraints:
        if meta.examples:
            return msgspec.json.encode(meta.examples[0]).decode()
    if get_origin(kind) is tuple and (item := _example_value(get_args(kind)[0])):
        return f"[{item}]"
    return ""
