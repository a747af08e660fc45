"""The errors of a checkout: a tree whose leaves are the documented problems."""

import re
from collections.abc import Iterator

from service.checkout import errors
from service.checkout.errors import CheckoutError


def leaves(kind: type[CheckoutError]) -> Iterator[type[CheckoutError]]:
    children = kind.__subclasses__()
    for child in children:
        yield from leaves(child)
    if not children:
        yield kind


def test_every_error_has_a_slug_of_its_own() -> None:
    """Each leaf names one problem, and no two name the same."""
    slugs = [kind.slug for kind in leaves(CheckoutError)]

    assert len(slugs) == len(set(slugs))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", slug) for slug in slugs)


def test_the_drawn_tree_is_the_real_one() -> None:
    """The module's docstring names every error class, and no other."""
    drawn = set(re.findall(r"\b\w+Error\b", errors.__doc__ or ""))
    real = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, CheckoutError)}

    assert real == drawn
