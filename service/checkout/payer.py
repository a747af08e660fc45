"""Who the calls to a provider are made for now, so that no single address uses up what all share."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

_payer: ContextVar[str | None] = ContextVar("payer", default=None)


@contextmanager
def paying(payer: str | None) -> Generator[None]:
    """Let whatever is called inside, and in tasks that begin inside, be on account of a payer; None is nobody's."""
    token = _payer.set(payer)
    try:
        yield
    finally:
        _payer.reset(token)


def current_payer() -> str | None:
    """A keyed hash of whoever it is; None for callers, and where the address is not known."""
    return _payer.get()
