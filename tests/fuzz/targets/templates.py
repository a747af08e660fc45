"""Templates of order tags: every text has a fault, or is filled as a reading by hand fills it."""

from service.checkout.buyer import Buyer
from service.checkout.templates import VARIABLES, fill, headers_of, template_fault

VALUES: dict[str, str | None] = {name: f"{name} {{country}}}}{{" for name in VARIABLES} | {"quote": None}
_BUYER = Buyer(trusted_headers={"x-release": "{country}\r\n"})


def target(data: bytes) -> None:
    """Filled once, and nothing that was filled in is a place again."""
    template = data.decode("utf-8", "replace")
    if template_fault(template):
        return
    assert _filled(template) == fill(template, VALUES, _BUYER), template
    assert headers_of(template) == [part[7:] for part in _places(template) if part.startswith("header:")]


def _places(template: str) -> list[str]:
    return [part.partition("}")[0] for part in template.split("{")[1:]]


def _filled(template: str) -> str:
    first, *parts = template.split("{")
    for part in parts:
        name, _, rest = part.partition("}")
        value = _BUYER.trusted_headers.get(name[7:].lower()) if name.startswith("header:") else VALUES[name]
        first += (value or "") + rest
    return first
