"""What the code promises of its own shape; who may import whom is import-linter's part."""

import ast
import re
import statistics
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from service.api.settings import CallerSettings, ServerSettings
from service.checkout.settings import CheckoutSettings
from service.providers.registry import discover
from service.store.settings import StoreSettings

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "service").rglob("*.py"))
FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def _functions() -> list[tuple[int, str]]:
    """(lines without the docstring, place) of every function of the service."""
    found: list[tuple[int, str]] = []
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, FUNCTION):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if ast.get_docstring(node) is not None:
                    lines -= (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
                found.append((lines, f"{module.relative_to(ROOT)}:{node.lineno} {node.name}"))
    return found


def test_files_stay_small() -> None:
    """Half of the files have at most 90 lines, none has more than 300."""
    lines = {str(module.relative_to(ROOT)): len(module.read_text().splitlines()) for module in MODULES}

    assert [] == [name for name, count in lines.items() if count > 300]
    assert statistics.median(lines.values()) <= 90


def test_functions_stay_small() -> None:
    """Half of the functions have at most 8 lines, nine in ten at most 25, none more than 50."""
    lines = sorted(count for count, _ in _functions())

    assert [] == [place for count, place in _functions() if count > 50]
    assert statistics.median(lines) <= 8
    assert lines[int(len(lines) * 0.9)] <= 25


def test_nothing_is_caught_blindly() -> None:
    """No module keeps every exception: the framework's last-resort handler at the edge is the only one."""
    blind = [
        f"{module.relative_to(ROOT)}:{node.lineno}"
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}))
        and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None)  # tidied up, and passed on
    ]

    assert [] == blind


def test_every_module_says_what_it_is() -> None:
    """Each module begins with a docstring."""
    assert [] == [str(module) for module in MODULES if ast.get_docstring(ast.parse(module.read_text())) is None]


@pytest.mark.parametrize("lock", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda path: path.name)
def test_locks_are_pinned_by_hash_and_name_no_registry(lock: Path) -> None:
    """Every requirement has a hash, and no line says where to get it."""
    text = lock.read_text()
    pinned = re.findall(r"^[A-Za-z0-9_.\[\]-]+==\S+", text, re.MULTILINE)
    starts = [match.start() for match in re.finditer(r"^[A-Za-z0-9_.\[\]-]+==", text, re.MULTILINE)]
    blocks = [text[start:end] for start, end in pairwise([*starts, len(text)])]

    assert pinned
    assert "://" not in text
    assert "--index" not in text
    assert [] == [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block]


def test_readme_names_every_setting() -> None:
    """Whoever reads the settings table has seen every key that the file may hold."""
    readme = (ROOT / "README.md").read_text()
    kinds: list[type[msgspec.Struct]] = [ServerSettings, CallerSettings, StoreSettings, CheckoutSettings]
    for module in discover().values():
        kinds += [module.upstream_settings, module.checkout_settings]
    keys = {field.encode_name for kind in kinds for field in msgspec.structs.fields(kind)}

    assert set() == {key for key in keys if f"`{key}`" not in readme}


def test_readme_paths_exist() -> None:
    """Every file that the README leads to is there."""
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text())

    assert links
    assert [] == [link for link in links if not (ROOT / link).exists()]
