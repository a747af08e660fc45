"""Templates of order tags: every variable, and what is no template."""

import pytest

from service.checkout.buyer import Buyer
from service.checkout.templates import VARIABLES, fill, headers_of, template_fault

VALUES = {name: f"<{name}>" for name in VARIABLES}


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_is_filled(name: str) -> None:
    """Each documented variable stands for its value, and for nothing where there is none."""
    assert f"a <{name}> z" == fill(f"a {{{name}}} z", VALUES, Buyer())
    assert "a  z" == fill(f"a {{{name}}} z", {name: None}, Buyer())


def test_header_names_have_no_case() -> None:
    """`{header:NAME}` finds a trusted header however it is spelled, and is empty without it."""
    buyer = Buyer(trusted_headers={"x-release": "r42"})

    assert "r42" == fill("{header:X-Release}", {}, buyer)
    assert "" == fill("{header:X-Other}", {}, buyer)


def test_values_are_not_templates() -> None:
    """What a buyer sends is never filled in turn."""
    assert "{country}" == fill("{origin}", {"origin": "{country}", "country": "DE"}, Buyer())


@pytest.mark.parametrize("template", ["", "web", "{checkout}-{country}", "{header:X-Release}", "a{quote}"])
def test_good_template_has_no_fault(template: str) -> None:
    """Plain text and known variables are fine."""
    assert template_fault(template) is None


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{sku}", "there is no {sku}"),
        ("{}", "there is no {}"),
        ("{Country}", "there is no {Country}"),
        ("{header:}", "there is no {header:}"),
        ("{header:X_Y}", "there is no {header:X_Y}"),
        ("{header:X-Y\n}", "there is no"),
        ("{country", "a brace without its partner"),
        ("country}", "a brace without its partner"),
        ("{{country}}", "a brace without its partner"),
    ],
)
def test_fault_says_what_is_wrong(template: str, words: str) -> None:
    """An unknown variable is named and a lone brace is found."""
    assert words in (template_fault(template) or "")


def test_headers_that_a_template_reads() -> None:
    """The headers are listed in order, so that each can be checked against the trusted ones."""
    assert ["X-A", "X-B"] == headers_of("{header:X-A}{country}{header:X-B}")
