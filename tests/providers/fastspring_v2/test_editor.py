"""The calls that read and change a session: each on the wire, and what becomes of every answer."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from service.checkout.errors import (
    CheckoutError,
    ProviderError,
    SessionEndedError,
    UpstreamCredentialsError,
    UpstreamInvalidError,
    UpstreamRejectedError,
    UpstreamThrottledError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from service.checkout.models import Address, Customer, Item, Pricing, Recipient
from service.providers.fastspring_v2.editor import FastSpringV2Editor
from service.providers.fastspring_v2.settings import FastSpringV2Checkout
from tests.support.exchanges import exchanges
from tests.support.orders import ORDER, REFERENCE
from tests.support.upstream import (
    TIMEOUTS,
    Handler,
    Upstream,
    answering,
    client_of,
    json_response,
    response,
    silent,
    upstream,
)

CHECKOUT = FastSpringV2Checkout(upstream="acme", live=False, path="acme/popup-checkout")
ID = "OS260101000000042XYZ"
SESSION = "/v2/checkouts/acme/popup-checkout/sessions/" + ID
OK = response(200)
NOTHING = response(204, b"", ())
GOOD: dict[str, Any] = exchanges("fastspring_v2")["minimal"].answers.body
ITEM = Item(product="pro-license", quantity=3, quantity_behavior="lock", pricing=Pricing(price={"EUR": "24.50"}))
LINE = {
    "productPath": "pro-license",
    "quantity": 3,
    "quantityBehavior": "LOCK",
    "customPrice": {"unitPrice": {"EUR": 24.5}},
    "attributes": {"broker_ref": REFERENCE},
}
ADA = Customer(email="ada@example.org", ship_to=Recipient(type="SHIP_TO", address=Address(city="Graz")))

Call = Callable[[FastSpringV2Editor], Awaitable[object]]
CALLS: Mapping[str, Call] = {
    "read": lambda editor: editor.read(ID),
    "payment_methods": lambda editor: editor.payment_methods(ID),
    "replace": lambda editor: editor.replace(ID, replace(ORDER, customer=ADA)),
    "replace_customer": lambda editor: editor.replace_customer(ID, ADA),
    "add_item": lambda editor: editor.add_item(ID, ITEM, reference=REFERENCE),
    "update_item": lambda editor: editor.update_item(ID, ITEM, reference=REFERENCE),
    "remove_item": lambda editor: editor.remove_item(ID, "pro-license"),
}
each_call = pytest.mark.parametrize("name", CALLS)


@asynccontextmanager
async def editing(handler: Handler, **options: Any) -> AsyncGenerator[tuple[FastSpringV2Editor, Upstream]]:  # noqa: ANN401  # those of the client
    async with upstream(handler) as server, client_of(server.url, **options) as client:
        yield FastSpringV2Editor(CHECKOUT, client), server


async def failure_of(name: str, answer: bytes, **options: Any) -> tuple[CheckoutError, Upstream]:  # noqa: ANN401  # as above
    """The error that an answer to a call becomes."""
    async with editing(answering(answer), **options) as (editor, server):
        with pytest.raises(CheckoutError) as caught:
            await CALLS[name](editor)
    return caught.value, server


@pytest.mark.parametrize(
    ("name", "line", "body"),
    [
        ("read", f"GET {SESSION}", None),
        ("payment_methods", f"GET {SESSION}", None),
        (
            "replace",
            f"PUT {SESSION}",
            {
                "live": False,
                "cart": {
                    "lineItems": [
                        {"productPath": "pro-license", "quantity": 2, "attributes": {"broker_ref": REFERENCE}}
                    ]
                },
                "customer": {
                    "billToContact": {"email": "ada@example.org"},
                    "shipToAddress": {"city": "Graz"},
                    "shipToType": "SHIP_TO",
                },
                "orderTags": {"broker_ref": REFERENCE},
            },
        ),
        (
            "replace_customer",
            f"PUT {SESSION}/customer",
            {
                "billToContact": {"email": "ada@example.org"},
                "shipToAddress": {"city": "Graz"},
                "shipToType": "SHIP_TO",
            },
        ),
        ("add_item", f"POST {SESSION}/cart/items", LINE),
        ("update_item", f"PUT {SESSION}/cart/items/pro-license", LINE),
        ("remove_item", f"DELETE {SESSION}/cart/items/pro-license", None),
    ],
)
async def test_on_the_wire(name: str, line: str, body: dict[str, Any] | None) -> None:
    """Each call is one authenticated request of exactly this line and body."""
    answer = NOTHING if name == "remove_item" else json_response(200, GOOD)
    async with editing(answering(answer)) as (editor, server):
        await CALLS[name](editor)

    [request] = server.requests
    assert f"{line} HTTP/1.1" == request.line
    assert "Basic c2FuZGJveDpzYW5kYm94" == request.header("Authorization")
    assert body == (json.loads(request.body) if request.body else None)
    assert ("application/json" if body else None) == request.header("Content-Type")


async def test_customer_of_whom_nothing_is_known() -> None:
    """An empty customer is an empty object: it takes the place of what was there."""
    async with editing(answering(OK)) as (editor, server):
        await editor.replace_customer(ID, Customer())

    assert b"{}" == server.requests[0].body


async def test_session_is_read_like_a_new_one() -> None:
    """The answer of a GET becomes what the answer of a create would."""
    async with editing(answering(json_response(200, GOOD))) as (editor, _):
        session = await editor.read(ID)

    assert (ID, "49.00", "DE") == (session.session_id, session.total and session.total.amount, session.country)


@pytest.mark.parametrize(
    "body",
    [
        response(200, b"<html>", ("Content-Type: text/html",)),
        response(200, b""),
        json_response(200, []),
        json_response(200, {"paymentMethods": [{"id": 7}]}),
        json_response(200, GOOD | {"id": "OS260101000000043XYZ"}),
        json_response(200, GOOD | {"live": "no"}),
    ],
)
async def test_what_is_no_session_of_ours_is_not_read(body: bytes) -> None:
    """HTML, nothing, wrong types and another buyer's session are refused."""
    assert isinstance((await failure_of("read", body))[0], UpstreamInvalidError)


@each_call
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (201, UpstreamInvalidError),
        (302, UpstreamInvalidError),
        (400, UpstreamRejectedError),
        (401, UpstreamCredentialsError),
        (403, UpstreamCredentialsError),
        (404, UpstreamThrottledError),
        (409, UpstreamRejectedError),
        (429, UpstreamThrottledError),
        (500, UpstreamUnavailableError),
        (503, UpstreamUnavailableError),
        (504, UpstreamTimeoutError),
    ],
)
async def test_each_status(name: str, status: int, kind: type[ProviderError]) -> None:
    """Every call is refused by the kind of its answer, and made once."""
    error, server = await failure_of(name, response(status))

    assert kind is type(error)
    assert 1 == len(server.requests)


@each_call
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"status": "404 NOT_FOUND", "message": "Session not found", "errors": []}', SessionEndedError),
        (b'{"status": "404 NOT_FOUND", "message": "Not Found", "errors": []}', UpstreamThrottledError),
        (b'{"message": null}', UpstreamThrottledError),
        (b"<html>No such session</html>", UpstreamThrottledError),
        (b"", UpstreamThrottledError),
    ],
)
async def test_404_is_throttling_unless_it_speaks_of_the_session(
    name: str, body: bytes, kind: type[CheckoutError]
) -> None:
    """The path is right, as the session was made at it: their 404 throttles, or the session is gone."""
    error, _ = await failure_of(name, response(404, body, ("Content-Type: application/json", "Retry-After: 7")))

    assert kind is type(error)
    assert (7 if kind is UpstreamThrottledError else None) == error.retry_after_seconds


@pytest.mark.parametrize(
    ("name", "theirs", "ours"),
    [
        ("add_item", "productPath", "product"),
        ("add_item", "quantity", "quantity"),
        ("add_item", "customPrice.edsFee", "pricing.edsFee"),
        ("add_item", "customPrice.discounts[1].percentDiscount", "pricing.discounts[1].percent"),
        ("update_item", "attributes", "attributes"),
        ("update_item", "cart.lineItems[0].quantity", "quantity"),
        ("remove_item", "productPath", "product"),
        ("replace_customer", "customer.billToContact.email", "email"),
        ("replace_customer", "billToContact.email", "email"),
        ("replace_customer", "shipToAddress.postalCode", "shipTo.address.postalCode"),
        ("replace_customer", "taxId", "taxId"),
        ("replace", "cart.lineItems[1].quantity", "items[1].quantity"),
        ("replace", "customer.billToContact.email", "customer.email"),
        ("replace", "country", "country"),
        ("add_item", "secret@example.org", None),
        ("add_item", "orderTags", None),
        ("replace_customer", None, None),
    ],
)
async def test_refusal_names_the_field_as_the_body_has_it(name: str, theirs: str | None, ours: str | None) -> None:
    """A caller who sent an item, or a customer, finds the field in what was sent; no text of theirs comes through."""
    fault = {"errorCode": "SECRET", "field": theirs, "message": "secret", "rejectedValue": "secret"}
    answer = json_response(400, {"status": "400", "id": "FS1", "message": "secret", "errors": [fault]})
    error, _ = await failure_of(name, answer)

    assert isinstance(error, UpstreamRejectedError)
    assert [one.field for one in error.errors] == ([ours] if ours else [])
    assert "FS1" == error.provider_case
    assert "secret" not in str((error, error.errors)).lower()


async def test_everything_that_is_asked_of_one_change_has_one_deadline() -> None:
    """A change that used up the time leaves none for its reading; by itself, each call has its own."""
    async with editing(silent, timeouts=replace(TIMEOUTS, read=0.2, total=0.3)) as (editor, server):
        change = editor.for_one_change()
        for call in (CALLS["add_item"], CALLS["read"]):
            with pytest.raises(UpstreamTimeoutError):
                await call(change)
        server.handler = answering(json_response(200, GOOD))
        with pytest.raises(UpstreamTimeoutError):
            await change.read(ID)
        asked = len(server.requests)

        assert ID == (await editor.read(ID)).session_id
        assert ID == (await editor.for_one_change().read(ID)).session_id
        assert asked + 2 == len(server.requests)


async def test_paths_are_remembered_without_ids() -> None:
    """A session's id makes no path of its own: thousands of sessions are remembered as a handful of paths."""
    answer = answering(json_response(200, GOOD))
    async with upstream(answer) as server, client_of(server.url) as client:
        editor = FastSpringV2Editor(CHECKOUT, client)
        for number in range(20):
            await editor.update_item(f"OS{number}", replace(ITEM, product=f"p{number}"), reference=REFERENCE)

        remembered = client._learned.paths  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # nothing else tells
        assert 1 == len(remembered)
