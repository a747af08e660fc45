"""Files that a configuration names."""

from pathlib import Path

import pytest

from service.config.file import TextFile, read_text_file
from service.config.secret import UnusableSecretError


def test_content(tmp_path: Path) -> None:
    """It is read with the configuration, and shown by its path."""
    file = tmp_path / "keys.json"
    file.write_text("{}\n")
    file.chmod(0o644)
    read = read_text_file(str(file))

    assert (str(file), "{}") == (read.path, read.text)
    assert str(file) == repr(read)


def test_equal_by_path_and_content() -> None:
    """Another content is another configuration."""
    assert TextFile("a", "1") == TextFile("a", "1")
    assert {TextFile("a", "1")} != {TextFile("a", "2"), TextFile("b", "1")}
    assert TextFile("a", "1") != TextFile("a", "2")
    assert "a" != TextFile("a", "1")


def test_open_to_every_writer(tmp_path: Path) -> None:
    """Whoever may write it could make themselves a caller."""
    file = tmp_path / "keys.json"
    file.write_text("{}")
    file.chmod(0o646)
    with pytest.raises(UnusableSecretError) as caught:
        read_text_file(str(file))

    assert f"every user may write {file}: run `chmod o-w {file}`" == str(caught.value)
