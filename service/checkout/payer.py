"""Who the calls to a provider are made for now, so that no single address uses up what all share."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar


class _Payer:
    def __init__(self, name: str | None) -> None:
        self.name = name
        self.has_solved = False


_payer: ContextVar[_Payer | None] = ContextVar("payer", default=None)


@contextmanager
def paying(payer: str | None) -> Generator[None]:
    """Let whatever is called inside, and in tasks that begin inside, be on account of a payer; None is nobody's."""
    token = _payer.set(_Payer(payer))
    try:
        yield
    finally:
        _payer.reset(token)


def current_payer() -> str | None:
    """A keyed hash of whoever it is; None for callers, and where the address is not known."""
    payer = _payer.get()
    return payer.name if payer else None


def note_solved() -> None:
    """Whoever it is has solved a challenge, whose answer is good for all that one request leads to."""
    if payer := _payer.get():
        payer.has_solved = True


def has_solved() -> bool:
    """Whether a challenge was solved for what is asked now."""
    payer = _payer.get()
    return payer is not None and payer.has_solved
