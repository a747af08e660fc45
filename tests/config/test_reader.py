"""The reader: every fault at once, each with its key path and the mend, and never a value that may be a secret."""

from collections.abc import Iterator
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta, Struct

from service.config.reader import Note, Reader, join
from service.config.secret import Secret
from service.config.types import LATER, Origin, Sha256


class Inner(Struct, frozen=True, kw_only=True):
    """A nested table."""

    size: int
    ratio: Annotated[float, Meta(ge=0, le=1)] = 0.5


class Table(Struct, frozen=True, kw_only=True):
    """One key of every kind."""

    name: str
    port: Annotated[int, Meta(ge=1, le=65535, examples=[8000])] = 8000
    other_port: int | None = None
    mode: Literal["loud", "quiet"] = "loud"
    origins: tuple[Origin, ...] = ()
    digest: Sha256 | None = None
    secret: Secret | None = None
    secrets: Annotated[tuple[Secret, ...], Meta(min_length=1)] = (Secret("default"),)
    inner: Inner | None = None
    inners: tuple[Inner, ...] = ()
    named: dict[Annotated[str, Meta(max_length=3)], Inner] = {}
    texts: dict[str, str] = {}
    later: Annotated[bool, LATER] = False

    def faults(self) -> Iterator[tuple[str, str]]:
        """Rules over several keys."""
        if self.other_port == self.port:
            yield "other_port", "is the port"
        if "bad" in self.texts.values():
            yield f"texts.{next(iter(self.texts))}", "is bad"
        if self.origins and self.port == 1:
            yield "origins[0]", "needs another port"
        if self.mode == "quiet" and self.inner is None:
            yield "inner", "is needed"
        if not self.name:
            yield "name", "is empty"


def read(table: object, environ: dict[str, str] | None = None) -> tuple[Table | None, Reader]:
    """A table as read, with the reader that tells about it."""
    reader = Reader(environ or {})
    return reader.struct(Table, table, "t"), reader


def faults(table: object, environ: dict[str, str] | None = None) -> list[str]:
    """The faults of a table as lines, sorted."""
    return [str(note) for note in sorted(read(table, environ)[1].faults)]


def test_every_kind_of_value_is_read() -> None:
    """A table without faults becomes a struct, nested tables and all; a whole number serves as a float."""
    table = {
        "name": "x",
        "inner": {"size": 1, "ratio": 1},
        "inners": [{"size": 2}],
        "named": {"a": {"size": 3}},
        "secret": {"env": "S"},
        "origins": ["https://shop.example"],
    }

    expected = Table(
        name="x",
        inner=Inner(size=1, ratio=1.0),
        inners=(Inner(size=2),),
        named={"a": Inner(size=3)},
        secret=Secret("hush"),
        origins=("https://shop.example",),
    )
    assert expected == read(table, {"S": "hush"})[0]


def test_all_faults_at_once() -> None:
    """Unknown keys, wrong types, missing keys, missing secrets and broken rules are reported together."""
    table = {
        "prot": 1,
        "port": "80",
        "mode": "silent",
        "secret": {"env": "GONE"},
        "inner": {"ratio": 2.0},
        "inners": [{"size": 1}, {"size": True}],
        "texts": {"colour": "bad"},
    }

    expected = [
        "t.inner.ratio: expected `float` <= 1.0",
        "t.inner.size: is required",
        "t.inners[1].size: expected `int`, got `bool`",
        't.mode: must be one of "loud", "quiet"',
        "t.name: is required",
        "t.port: expected `int`, got `str`, for example 8000",
        "t.prot: unknown key; did you mean `port`?",
        "t.secret: the environment variable GONE is missing or empty: set it",
        "t.texts.colour: is bad",
    ]
    assert expected == faults(table)


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("port", 80.0, "expected `int`, got `float`, for example 8000"),
        ("port", True, "expected `int`, got `bool`, for example 8000"),
        ("port", -1, "expected `int` >= 1, for example 8000"),
        ("port", 65536, "expected `int` <= 65535, for example 8000"),
        ("later", 1, "expected `bool`, got `int`"),
        ("name", 3, "expected `str`, got `int`"),
        ("inner", 3, "must be a table, for example [t.inner]"),
        ("inners", {}, "expected `array`, got `table`"),
        ("named", [], "expected `table`, got `array`"),
        ("named", {"long": {"size": 1}}, "expected `str` of length <= 3"),
        ("secrets", [], "expected `array` of length >= 1"),
        ("origins", "https://shop.example", 'expected `array`, got `str`, for example ["https://shop.example"]'),
        ("digest", "abc", "must match ^[0-9a-f]{64}$"),
        ("mode", 3, 'must be one of "loud", "quiet"'),
    ],
)
def test_wrong_values(key: str, value: object, text: str) -> None:
    """Each wrong value is named with what belongs there instead; nothing is coerced."""
    path = "t.named.long" if isinstance(value, dict) and "long" in value else f"t.{key}"

    assert [f"{path}: {text}"] == faults({"name": "x", key: value})


def test_fault_of_an_array_item_has_its_index() -> None:
    """The second origin is the wrong one, and a right one is shown."""
    expected = ['t.origins[1]: must look like "https://shop.example"']
    assert expected == faults({"name": "x", "origins": ["https://a.example", "*"]})


@pytest.mark.parametrize("secret", ["hunter2", {"value": "hunter2"}, {"env": "A", "file": "/b"}, {}, 3, {"env": 3}])
def test_a_secret_is_a_reference(secret: object) -> None:
    """Plain text, two sources, none, or another shape are refused, and what stood there is not repeated."""
    (fault,) = faults({"name": "x", "secret": secret})

    assert '{ env = "NAME" } or { file = "/path" }' in fault
    assert "hunter2" not in fault


def test_rules_stand_beside_unreadable_keys() -> None:
    """A rule is checked although another key cannot be read; a rule on the unreadable key itself is not repeated."""
    table = {"name": "x", "port": "x", "other_port": 8000, "origins": ["*"], "mode": 3, "texts": {"a": "bad"}}

    expected = ["t.mode", "t.origins[0]", "t.other_port", "t.port", "t.texts.a"]
    assert expected == [fault.split(":")[0] for fault in faults(table)]


def test_no_rule_on_an_unreadable_key() -> None:
    """What could not be read is not said to be missing as well."""
    table = {"name": "x", "mode": "quiet"}

    assert ["t.inner: is needed"] == faults(table)
    assert ["t.inner: must be a table, for example [t.inner]"] == faults({**table, "inner": 3})


def test_no_rule_without_its_required_key() -> None:
    """A rule over a required key that is missing is not asked, and nothing breaks."""
    assert ["t.name: is required"] == faults({})


def test_an_error_inside_a_rule_is_not_hidden() -> None:
    """Only rules of incomplete tables may lack a key."""

    class Broken(Struct):
        def faults(self) -> Iterator[tuple[str, str]]:
            yield self.missing, ""  # type: ignore[attr-defined]  # the point

    with pytest.raises(AttributeError):
        Reader({}).struct(Broken, {}, "")


def test_skipped_keys() -> None:
    """Keys that the caller reads itself are neither unknown nor required, and are suggested for typing errors."""
    reader = Reader({})
    reader.struct(Inner, {"mine": 1, "mime": 2}, "t", skip=frozenset({"mine", "size"}))

    assert ["t.mime: unknown key; did you mean `mine`?"] == [str(note) for note in reader.faults]


def test_keys_without_effect_are_named_when_given() -> None:
    """A key whose feature is to come is listed when the file has it, and only then."""
    assert (["t.later"], []) == (read({"name": "x", "later": True})[1].inert, read({"name": "x"})[1].inert)


def test_a_fault_names_the_variable_that_set_the_key() -> None:
    """Who overrides a key by environment looks for the mistake there."""
    reader = Reader({})
    reader.overrides["t.port"] = "PORT"
    reader.struct(Table, {"name": "x", "port": 0}, "t")

    expected = ["t.port: expected `int` >= 1, for example 8000 (set by the environment variable PORT)"]
    assert expected == [str(note) for note in reader.faults]


@pytest.mark.parametrize(
    ("path", "key", "expected"),
    [
        ("", "a", "a"),
        ("a", "b-c_1", "a.b-c_1"),
        ("a", "b.c", 'a."b.c"'),
        ("a", "two\nlines", r'a."two\nlines"'),
        ("a", "", 'a.""'),
    ],
)
def test_key_paths_are_written_as_in_toml(path: str, key: str, expected: str) -> None:
    """A key that TOML wants in quotes stands in quotes, so that a path is never ambiguous nor longer than a line."""
    assert expected == join(path, key)


def test_a_note_without_a_path() -> None:
    """What concerns the whole file has no path before it."""
    assert ("text", "a.b: text") == (str(Note("", "text")), str(Note("a.b", "text")))


def test_a_note_is_one_line() -> None:
    """Names out of the file cannot break a line, nor steer the terminal."""
    assert r"a: \n\x1b[31m\u2028ü" == str(Note("a", "\n\x1b[31m\u2028ü"))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.dates() | st.times()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
)
KEYS = st.sampled_from(Table.__struct_fields__) | st.text(max_size=9)


@settings(deadline=None, derandomize=True, max_examples=120)
@given(st.dictionaries(KEYS, VALUES, max_size=8))
def test_nothing_breaks_the_reader(table: dict[str, object]) -> None:
    """Whatever a file holds, it is read or faulted, and each fault is one line."""
    struct, reader = read(table)

    assert (struct is None) == bool(reader.faults)
    assert [1] * len(reader.faults) == [len(str(note).splitlines()) for note in reader.faults]
