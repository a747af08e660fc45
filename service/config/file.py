"""A file that the configuration names, read with it: a change of the one is a change of the other."""

from pathlib import Path

from service.config.secret import read_file


class TextFile:
    """The path and the content of a file that holds no secret; shows as its path."""

    __slots__ = ("path", "text")

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    def __repr__(self) -> str:
        return self.path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TextFile) and (other.path, other.text) == (self.path, self.text)

    def __hash__(self) -> int:
        return hash((self.path, self.text))


def read_text_file(path: str) -> TextFile:
    """Read a file. Who may write it decides what it says, so the rule about writers is that of secrets.

    Raises:
        UnusableSecretError: it is missing, empty, unreadable or open to every writer.
    """
    return TextFile(path, read_file(Path(path), lambda _: None).reveal())
