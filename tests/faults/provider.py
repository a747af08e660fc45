"""FastSpring v2 played by a bare socket: good answers made from the request, and where to find its reference."""

import json
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from tests.support.upstream import Received, json_response

Json = Any  # picked apart by tests


def created(request: Received, **members: object) -> bytes:
    """A whole, good answer to a create; `members` take the place of its own."""
    return json_response(201, session_of(request) | members)


def session_of(request: Received) -> Json:
    """The document of a session that is what was asked for."""
    body: Json = json.loads(request.body)
    [line] = body["cart"]["lineItems"]
    return {
        "id": "OS260101000000042XYZ",
        "expires": "2099-01-02T10:00:00.000Z",
        "status": "OPEN",
        "country": "DE",
        "currency": "EUR",
        "live": body["live"],
        "orderTags": body["orderTags"],
        "cart": {
            "lineItems": [{"productPath": line["productPath"], "quantity": line["quantity"]}],
            "netTotal": 49.0,
            "withTaxNetTotal": 49.0,
            "withTaxNetTotalDisplay": "49,00 EUR",
        },
        "checkoutUrls": {"webcheckoutUrl": "https://acme.onfastspring.com/checkout/session/OS260101000000042XYZ"},
        "warnings": [],
        "checkoutStatus": ["READY_FOR_CHECKOUT"],
    }


def reference_of(request: Received) -> str:
    """Our own reference in a create."""
    reference: str = json.loads(request.body)["orderTags"]["broker_ref"]
    return reference


@contextmanager
def refusing() -> Generator[str]:
    """An address that refuses every connection, and that nobody else can listen on meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
