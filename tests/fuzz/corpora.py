"""The corpora of the fuzz targets: one input a file, as ASCII with Python's escapes, so that all of it is text."""

from hashlib import sha256
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"


def inputs(target: str) -> dict[str, bytes]:
    """Every input of a target, by what it is called."""
    return {file.stem: decoded(file.read_text()) for file in sorted((FOLDER / target).glob("*.txt"))}


def keep(target: str, data: bytes, folder: Path = FOLDER) -> Path:
    """Let the corpus grow by an input that failed: it is tried first from now on."""
    file = folder / target / f"found-{sha256(data).hexdigest()[:12]}.txt"
    file.parent.mkdir(exist_ok=True)
    file.write_text(encoded(data))
    return file


def encoded(data: bytes) -> str:
    """Bytes as a line of ASCII."""
    return data.decode("latin-1").encode("unicode_escape").decode() + "\n"


def decoded(line: str) -> bytes:
    """The bytes of a line of ASCII."""
    return line.removesuffix("\n").encode().decode("unicode_escape").encode("latin-1")
