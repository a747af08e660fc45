"""A card number in any free text of a request, over the whole application: refused, and never told to anybody."""

import json
import re
from collections.abc import Callable
from unicodedata import normalize

import httpx
import pytest
from structlog.testing import capture_logs

from tests.support.cards import card, dice, typed
from tests.support.servers import Sandbox

Send = Callable[..., httpx.Response]
PERSON = [
    *("firstName", "lastName", "company"),
    *(f"address.{name}" for name in ("line1", "line2", "city", "region", "postalCode")),
]
FIELDS = [
    *(f"customer.{name}" for name in PERSON),
    *(f"customer.shipTo.{name}" for name in PERSON),
    "items[0].attributes.license-name",
]


def body_with(field: str, text: str) -> dict[str, object]:
    """A request with a text in one field."""
    if field.startswith("items"):
        return {"items": [{"product": "pro-license", "attributes": {"license-name": text}}]}
    value: object = text
    for name in reversed(field.split(".")[1:]):
        value = {name: value}
    return {"items": [{"product": "pro-license"}], "customer": value}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("path", ["/checkout", "/internal/checkout", "/internal/checkout/preview"])
def test_card_number_is_refused_and_not_told(
    send: Send, sandbox: Sandbox, caller_headers: dict[str, str], path: str, field: str
) -> None:
    """Ten numbers in each named field: 400 that names it, nothing sent, and no digit of them in the answer or a log."""
    luck = dice(sum(map(ord, path + field)))
    for _ in range(10):
        number = card(luck)
        text = typed(number, luck)
        while len(text) > 50 or min(text) < " ":  # no such text gets as far
            text = typed(number, luck)
        with capture_logs() as lines:
            answer = send("POST", path, json=body_with(field, text), headers=caller_headers)
        told = normalize("NFKC", answer.text + json.dumps([lines, [*answer.headers.items()]], ensure_ascii=False))

        assert (400, [field]) == (answer.status_code, [error["field"] for error in answer.json()["errors"]]), text
        assert "/problems/invalid-request" == answer.json()["type"]
        assert "Holds a card number" in answer.json()["errors"][0]["detail"]
        assert lines
        assert number not in re.sub(r"\D", "", told)
        assert text not in told
    assert [] == sandbox.requests()


def test_what_only_looks_alike_is_sold(send: Send, sandbox: Sandbox, caller_headers: dict[str, str]) -> None:
    """Ids in attributes, a phone number and a tax id go through to the provider as they were given."""
    customer = {"phone": "+49 151 1234 5678", "taxId": "4111111111111111", "email": "ada@example.org"}
    item = {"product": "pro-license", "attributes": {"license-name": "411486491630370818 76561197960265729"}}
    answer = send("POST", "/internal/checkout", json={"items": [item], "customer": customer}, headers=caller_headers)

    assert 201 == answer.status_code, answer.text
    assert "411486491630370818 76561197960265729" in json.dumps(sandbox.requests())
