"""Templates of order tags: `{name}` places filled from what is known of a request, by one pass and nothing nested."""

import re
from collections.abc import Callable, Mapping

from service.checkout.buyer import Buyer

_PLACE = re.compile(r"\{([^{}]*)\}")
_HEADER = "header:"
VARIABLES = ("checkout", "country", "language", "origin", "caller", "quote", "reference")


def template_fault(template: str) -> str | None:
    """What is wrong with a template, as a sentence that says how to mend it; None when nothing is."""
    for name in _PLACE.findall(template):
        if name not in VARIABLES and not re.fullmatch(_HEADER + r"[A-Za-z][A-Za-z0-9-]*", name):
            places = " ".join(f"{{{variable}}}" for variable in VARIABLES)
            return f"there is no {{{name}}}; the variables are {places} {{header:NAME}}"
    if "{" in (rest := _PLACE.sub("", template)) or "}" in rest:
        return "has a brace without its partner: write {name}"
    return None


def headers_of(template: str) -> list[str]:
    """The header names that a template reads."""
    return [name.removeprefix(_HEADER) for name in _PLACE.findall(template) if name.startswith(_HEADER)]


def fill(template: str, values: Mapping[str, str | None], buyer: Buyer) -> str:
    """The text of a template; a variable without a value is empty."""
    if "{" not in template:
        return template
    return _PLACE.sub(_filler(values, buyer), template)


def _filler(values: Mapping[str, str | None], buyer: Buyer) -> Callable[[re.Match[str]], str]:
    def value_of(place: re.Match[str]) -> str:
        name = place[1]
        if name.startswith(_HEADER):
            return buyer.trusted_headers.get(name.removeprefix(_HEADER).lower(), "")
        return values.get(name) or ""

    return value_of
