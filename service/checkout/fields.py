"""Names the fields of an error as the body has them that came in."""

from collections.abc import Generator
from contextlib import contextmanager

from msgspec.structs import replace

from service.checkout.errors import CheckoutError


@contextmanager
def fields_under(prefix: str) -> Generator[None]:
    """Name fields as a body has them that is only a part of a request, such as one item of it."""
    try:
        yield
    except CheckoutError as error:
        error.errors = tuple(replace(one, field=one.field.removeprefix(prefix)) for one in error.errors)
        raise


@contextmanager
def fields_inside(prefix: str) -> Generator[None]:
    """Name fields as a body has them of which a request is only a part."""
    try:
        yield
    except CheckoutError as error:
        error.errors = tuple(replace(one, field=f"{prefix}{one.field}") for one in error.errors)
        raise
