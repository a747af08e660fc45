"""Secrets: never printed, read by reference alone, and from files that not everybody can write."""

from pathlib import Path

import msgspec
import pytest

from service.config.secret import Secret, SecretReference, UnusableSecretError, read_secret


def read(environ: dict[str, str] | None = None, **reference: str) -> tuple[str, list[str]]:
    """The secret behind a reference, and the warnings."""
    warnings: list[str] = []
    secret = read_secret(SecretReference(**reference), environ or {}, warnings.append)
    return secret.reveal(), warnings


def secret_file(folder: Path, content: bytes, mode: int = 0o600) -> Path:
    """A file with a secret."""
    file = folder / "secret"
    file.write_bytes(content)
    file.chmod(mode)
    return file


def test_a_secret_never_shows() -> None:
    """Every way to print a secret shows its mask."""
    secret = Secret("hunter2")

    assert ["***"] * 4 == [repr(secret), str(secret), f"{secret}", f"{[secret]}"[1:-1]]


def test_equal_by_value() -> None:
    """Two configurations are compared by their secrets' values."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert "a" != Secret("a")
    assert 1 == len({Secret("a"), Secret("a")})


@pytest.mark.parametrize("content", [b"hunter2", b"hunter2\n", b"hunter2\r\n"])
def test_one_line_end_is_dropped(tmp_path: Path, content: bytes) -> None:
    """What editors and `kubectl create secret` add is no part of the secret, in files and variables alike."""
    file = secret_file(tmp_path, content)

    assert ("hunter2", []) == read(file=str(file))
    assert ("hunter2", []) == read({"S": content.decode()}, env="S")


def test_other_white_space_is_kept(tmp_path: Path) -> None:
    """Only one line end goes: a secret may begin or end with white space."""
    assert (" a b \n", []) == read(file=str(secret_file(tmp_path, b" a b \n\n")))


def test_world_writable_is_refused(tmp_path: Path) -> None:
    """Anybody could have put the secret there."""
    file = secret_file(tmp_path, b"hunter2", 0o602)
    with pytest.raises(UnusableSecretError) as caught:
        read(file=str(file))

    assert f"every user may write {file}: run `chmod o-w {file}`" == str(caught.value)


def test_world_readable_is_warned_about(tmp_path: Path) -> None:
    """It works, and the mend is said."""
    file = secret_file(tmp_path, b"hunter2", 0o644)

    assert ("hunter2", [f"every user may read {file}: run `chmod o-r {file}`"]) == read(file=str(file))


@pytest.mark.parametrize(
    ("content", "mend"), [(b"", "is empty"), (b"\n", "is empty"), (b"\xff\xfe", "cannot be read as text")]
)
def test_unusable_content(tmp_path: Path, content: bytes, mend: str) -> None:
    """An empty or binary file is no secret."""
    with pytest.raises(UnusableSecretError, match=mend):
        read(file=str(secret_file(tmp_path, content)))


@pytest.mark.parametrize("path", ["/nowhere/at/all", "/", "nul\0byte"])
def test_unreadable_path(path: str) -> None:
    """A missing file, a directory and an impossible path are told apart from an exception."""
    with pytest.raises(UnusableSecretError, match="cannot be read"):
        read(file=path)


def test_a_device_is_no_secret_file() -> None:
    """What is no regular file is refused before it is read: a pipe would hold up the start for ever."""
    with pytest.raises(UnusableSecretError, match="no regular file"):
        read(file="/dev/null")


@pytest.mark.parametrize("environ", [{}, {"S": ""}, {"S": "\n"}])
def test_missing_variable(environ: dict[str, str]) -> None:
    """A variable that is missing or empty holds no secret."""
    with pytest.raises(UnusableSecretError, match="the environment variable S is missing or empty: set it"):
        read(environ, env="S")


def test_a_key_of_several_lines() -> None:
    """A private key in PEM is a secret like any other."""
    assert ("-----BEGIN\nx\n-----END", []) == read({"S": "-----BEGIN\nx\n-----END\n"}, env="S")


def test_a_variable_that_is_no_text() -> None:
    """Bytes that no header or key could be made of are refused, and not repeated."""
    with pytest.raises(UnusableSecretError, match=r"^the environment variable S is not text: write it in UTF-8$"):
        read({"S": b"hunter2\xff".decode(errors="surrogateescape")}, env="S")


@pytest.mark.parametrize("reference", [{}, {"env": "S", "file": "/s"}])
def test_exactly_one_source(reference: dict[str, str]) -> None:
    """A reference that leads to two places, or to none, is refused."""
    with pytest.raises(UnusableSecretError, match="exactly one source"):
        read({"S": "x"}, **reference)


def test_masked_where_msgspec_meets_it() -> None:
    """msgspec writes no secret by itself."""
    with pytest.raises(TypeError):
        msgspec.json.encode(Secret("hunter2"))
