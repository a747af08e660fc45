"""FastSpring's legacy session API."""

from typing import Any

import httpx
import pytest

SESSIONS = "/sessions"
CONTACT = {"first": "Ada", "last": "Muster", "email": "ada@example.org", "country": "DE", "language": "de"}
KNOWN_ACCOUNT = "YWNjb3VudC1pZC0yMi1jaA"


def order(**members: object) -> dict[str, object]:
    return {"contact": CONTACT, "items": [{"product": "pro-license", "quantity": 2}], **members}


def priced(**pricing: object) -> dict[str, object]:
    return order(items=[{"product": "pro-license", "pricing": pricing}])


async def created(http: httpx.AsyncClient, **members: object) -> Any:  # noqa: ANN401 - picked apart by the assertions
    answer = await http.post(SESSIONS, json=order(**members))
    assert 200 == answer.status_code, answer.text
    return answer.json()


async def test_create(seller: httpx.AsyncClient) -> None:
    """A session answers 200 with its id, currency, subtotal and its end in milliseconds, and no address."""
    session = await created(seller, coupon="SPRING10", expiration=3)

    assert {
        "currency": "EUR",
        "expires": 1_767_528_000_000,
        "order": None,
        "subtotal": 81.0,
        "items": [{"product": "pro-license", "quantity": 2}],
    }.items() <= session.items()
    assert (22, 22, 7) == (len(session["id"]), len(session["account"]), len(session))


async def test_expires_after_a_day(seller: httpx.AsyncClient) -> None:
    """Without an expiration a session lasts a day."""
    assert 1_767_355_200_000 == (await created(seller))["expires"]


async def test_pricing(seller: httpx.AsyncClient) -> None:
    """A custom price and quantity discounts change the subtotal."""
    percent = priced(price={"EUR": 10}, discountType="percent", quantityDiscounts={"1": 50})
    amount = priced(price={"EUR": 10}, discountType="amount", quantityDiscounts={"1": {"EUR": 4}})

    assert [5.0, 6.0] == [(await seller.post(SESSIONS, json=body)).json()["subtotal"] for body in (percent, amount)]


async def test_country_of_a_known_account_wins(seller: httpx.AsyncClient) -> None:
    """An account keeps the country it was registered with, named by id or found by e-mail."""
    named = await seller.post(
        SESSIONS, json={"account": KNOWN_ACCOUNT, "country": "US", "items": [{"product": "pro-license"}]}
    )
    first, second = await created(seller), await created(seller, contact={**CONTACT, "country": "US"})

    assert ["EUR"] * 3 == [named.json()["currency"], first["currency"], second["currency"]]
    assert first["account"] == second["account"]


async def test_no_country_means_dollars(seller: httpx.AsyncClient) -> None:
    """A new buyer without a country is taken for one in the US."""
    assert "USD" == (await created(seller, contact={"email": "new@example.org"}))["currency"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (order(items=[{"product": "pro-license"}, {"product": "pro-license"}]), "Item exists."),
        ({"items": [{"product": "pro-license"}]}, "account or contact required"),
        (order(account=KNOWN_ACCOUNT), "account or contact required"),
        (order(contact={"first": "Ada"}), "contact.email required"),
        (order(contact={"email": "ada_at_example"}), "Invalid email format"),
        (priced(paidTrial=True), "trialPrice required"),
        (priced(interval="month"), "intervalLength required"),
        (priced(discountType="percent", quantityDiscounts={"1": {"USD": 5}}), "quantityDiscounts invalid"),
        (priced(discountType="percent", quantityDiscounts={"0": 50}), "quantityDiscounts invalid"),
        (priced(price={"EUR": 9.999}), "Amounts have at most 2 decimals"),
        (priced(paidTrial=True, trialPrice={"EUR": 0.001}), "Amounts have at most 2 decimals"),
        (priced(discountType="amount", quantityDiscounts={"1": {"EUR": 4.005}}), "Amounts have at most 2 decimals"),
        (
            order(items=[{"product": "pro-license", "attributes": {"a": "x" * 4000}}]),
            "Tags may have 4000 characters in total",
        ),
    ],
)
async def test_refused_with_a_message(seller: httpx.AsyncClient, body: object, message: str) -> None:
    """What breaks a rule is 400 in the recorded shape: a message and its parameters."""
    answer = await seller.post(SESSIONS, json=body)

    assert (400, message, {"message", "params"}) == (answer.status_code, answer.json()["message"], set(answer.json()))


@pytest.mark.parametrize(
    "members",
    [
        {"returnUrl": "https://x.example"},
        {"live": False},
        {"buyerIp": "203.0.113.1"},
        {"paymentContact": {}},
        {"account": {"email": "ada@example.org"}},
        {"expiration": 8},
        {"expiration": 0},
        {"items": []},
        {"items": [{"productPath": "pro-license"}]},
        {"items": [{"product": "pro-license", "pricing": {"price": {"USD": "5"}}}]},
        {"items": [{"product": "pro-license", "pricing": {"quantityBehavior": "LOCK"}}]},
        {"tags": {"a": 1}},
        {"lookup": {"custom": "abc"}},
        {"contact": {"email": "a@b.example", "phoneNumber": "1"}},
    ],
)
async def test_refuses_what_the_schema_does_not_have(seller: httpx.AsyncClient, members: dict[str, object]) -> None:
    """Members that other APIs have, wrong types and broken limits are 400."""
    assert 400 == (await seller.post(SESSIONS, json=order(**members))).status_code


async def test_unknown_account(seller: httpx.AsyncClient) -> None:
    """An account that does not exist is refused with an error object keyed by field."""
    answer = await seller.post(SESSIONS, json={"account": "nobody", "items": [{"product": "pro-license"}]})

    assert (400, {"action": "session.create", "result": "error", "error": {"account": "account not found"}}) == (
        answer.status_code,
        answer.json(),
    )


async def test_error_in_a_good_status(seller: httpx.AsyncClient) -> None:
    """An unknown product comes as 200 with a result that is no success, and v1's name of the field."""
    answer = await seller.post(SESSIONS, json=order(items=[{"product": "no-such-product"}]))

    assert (200, {"action": "session.create", "result": "error", "error": {"product": "Product not found"}}) == (
        answer.status_code,
        answer.json(),
    )


@pytest.mark.parametrize(
    ("shape", "status", "member"), [("object", 400, "error"), ("in_200", 200, "error"), ("message", 400, "params")]
)
async def test_each_shape_on_demand(seller: httpx.AsyncClient, shape: str, status: int, member: str) -> None:
    """Any of the three shapes of error can be asked for."""
    await seller.put("/_sandbox/faults", json=[{"kind": "bad_request", "shape": shape}])
    answer = await seller.post(SESSIONS, json=order())

    assert status == answer.status_code
    assert "contact.email" in answer.json()[member]


async def test_for_the_seller_only(seller: httpx.AsyncClient, buyer: httpx.AsyncClient) -> None:
    """No credentials and wrong ones are 401, no User-Agent is refused."""
    answers = [
        await buyer.post(SESSIONS, json=order()),
        await buyer.post(SESSIONS, json=order(), auth=("sandbox", "wrong")),
        await seller.post(SESSIONS, json=order(), headers={"user-agent": ""}),
    ]

    assert [401, 401, 403] == [answer.status_code for answer in answers]


@pytest.mark.parametrize(
    ("kind", "member", "expected"),
    [
        ("missing_id", "id", None),
        ("hostile_id", "id", "b3Jk\r\nSet-Cookie: stolen=1"),
        ("wrong_types", "id", 17),
        ("wrong_quantity", "items", [{"product": "pro-license", "quantity": 3}]),
        ("missing_item", "items", []),
        ("wrong_product", "items", [{"product": "something-else", "quantity": 2}]),
        ("wrong_total", "subtotal", 91.0),
        ("wrong_currency", "currency", "GBP"),
        ("expired", "expires", 1_577_836_800_000),
        ("concluded", "order", "b3JkZXItaWQtMjItY2hhcnM"),
    ],
)
async def test_lies(seller: httpx.AsyncClient, kind: str, member: str, expected: object) -> None:
    """A lie is told in an answer that is otherwise good."""
    await seller.put("/_sandbox/faults", json=[{"kind": kind}])

    assert expected == (await created(seller)).get(member)


async def test_hosted_page_and_payment(seller: httpx.AsyncClient) -> None:
    """A legacy session has its page under `/session/`, and is paid like any other."""
    session_id = (await created(seller, tags={"ref": "r1"}))["id"]
    [listed] = (await seller.get("/_sandbox/sessions")).json()
    page = await seller.get(f"/session/{session_id}")
    paid = await seller.post(f"/_sandbox/sessions/{session_id}/pay")

    assert f"https://sandbox.example/session/{session_id}" == listed["checkoutUrls"]["webcheckoutUrl"]
    assert (200, {"ref": "r1"}) == (page.status_code, paid.json()["event"]["data"]["tags"])
