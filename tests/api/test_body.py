"""Bodies: strictly decoded, and never a reason to fail."""

import json
import time
from collections.abc import Callable

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.api.schemas import BrowserRequest
from service.checkout.decoding import decode, without_blanks
from service.checkout.errors import InvalidRequestError
from service.checkout.models import Address, Customer, Item, OrderRequest, PayoutSplit
from tests.api.conftest import Send
from tests.support.servers import Sandbox

BOTH = pytest.mark.parametrize("path", ["/checkout", "/internal/checkout"])
JSON_TYPE = {"Content-Type": "application/json"}
CART = {"items": [{"product": "pro-license", "quantity": 2}], "country": "DE"}


def cart_with(quantity: str) -> bytes:
    return b'{"items": [{"product": "pro-license", "quantity": %s}]}' % quantity.encode()


@BOTH
@pytest.mark.parametrize(
    "quantity",
    [
        *('"2"', "2.0", "2.5", "true", "false", "null", "[2]", "{}", str(2**70), "1e400", "NaN", "Infinity"),
        *("-Infinity", "-1", "0", "2e0", "0x2", "02", "+2", "1000001", "9" * 5000),
    ],
)
def test_only_two_is_two(
    broker: httpx.Client, caller_headers: dict[str, str], sandbox: Sandbox, path: str, quantity: str
) -> None:
    """Nothing that merely looks like an integer is taken for one; the problem is 400 and nothing is sent."""
    answer = broker.post(path, content=cart_with(quantity), headers=caller_headers | JSON_TYPE)

    assert 400 == answer.status_code, answer.text
    assert "/problems/invalid-request" == answer.json()["type"]
    assert [] == sandbox.requests()


@BOTH
def test_two_is_two(broker: httpx.Client, caller_headers: dict[str, str], path: str) -> None:
    """The control: the same body with an integer makes a session."""
    assert 201 == broker.post(path, content=cart_with("2"), headers=caller_headers | JSON_TYPE).status_code


HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n\t",
    "null": b"null",
    "number": b"17",
    "text": b'"items"',
    "array": b"[]",
    "no items": b"{}",
    "empty items": b'{"items": []}',
    "items of another type": b'{"items": {"product": "a"}}',
    "101 items": json.dumps({"items": [{"product": f"p{n}"} for n in range(101)]}).encode(),
    "truncated": b'{"items": [{"product": "pro-li',
    "two documents": b'{"items": [{"product": "a"}]}{}',
    "comment": b'{"items": [{"product": "a"}]} // x',
    "single quotes": b"{'items': []}",
    "trailing comma": b'{"items": [{"product": "a"},]}',
    "5,000 brackets": b"[" * 5000,
    "5,000 brackets closed": b"[" * 5000 + b"]" * 5000,
    "5,000 objects in a restricted field": b'{"items":[{"product":"a"}],"metadata":'
    + b'{"a":' * 5000
    + b"1"
    + b"}" * 5001,
    "invalid UTF-8": b'{"items": [{"product": "\xff\xfe"}]}',
    "overlong UTF-8": b'{"items": [{"product": "\xc0\xaf"}]}',
    "surrogate in UTF-8": b'{"items": [{"product": "\xed\xa0\x80"}]}',
    "lone surrogate": b'{"items": [{"product": "a"}], "coupon": "\\ud800"}',
    "lone surrogate in a name": b'{"items": [{"product": "a"}], "\\udfff": 1}',
    "lone surrogates twice": b'{"items": [{"product": "a"}], "metadata": {"\\ud800": 1, "\\ud800": 2}}',
    "UTF-16": '{"items": [{"product": "a"}]}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"items": [{"product": "a"}]}',
    "NUL": b'{"items": [{"product": "a"}]}\x00',
    "NUL in a product": b'{"items": [{"product": "a\\u0000"}]}',
    "NUL in a name": b'{"items": [{"product": "a"}], "customer": {"firstName": "a\\u0000"}}',
    "raw control character": b'{"items": [{"product": "a\x01"}]}',
    "line end after a product": b'{"items": [{"product": "a\\n"}]}',
    "huge integer": b'{"items": [{"product": "a", "quantity": ' + b"9" * 50_000 + b"}]}",
    "huge exponent": b'{"items": [{"product": "a", "quantity": 1e999999999}]}',
    "huge number in a restricted field": b'{"items": [{"product": "a"}], "live": ' + b"9" * 50_000 + b"}",
    "member twice": b'{"items": [{"product": "a"}], "items": [{"product": "b"}]}',
    "member twice, inside": b'{"items": [{"product": "a", "product": "b"}]}',
    "member twice, deep": b'{"items": [{"product": "a"}], "customer": {"address": {"city": "a", "city": "b"}}}',
    "member twice, spelled apart": b'{"items": [{"product": "a"}], "coupon": "a", "\\u0063oupon": "b"}',
    "key of a map twice": b'{"items": [{"product": "a", "attributes": {"license-name": "a", "license-name": "b"}}]}',
    "unknown member": b'{"items": [{"product": "a"}], "price": 1}',
    "dots": b'{"items": [{"product": ".."}]}',
    "slash": b'{"items": [{"product": "a/b"}]}',
    "257 characters": b'{"items": [{"product": "' + b"a" * 257 + b'"}]}',
    "checkout of another type": b'{"items": [{"product": "a"}], "checkout": 1}',
    "fresh of another type": b'{"items": [{"product": "a"}], "fresh": "false"}',
    "customer of another type": b'{"items": [{"product": "a"}], "customer": []}',
    "pickle": b"\x80\x04\x95\x00.",
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
}


@BOTH
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_body_is_a_client_error(
    broker: httpx.Client, sandbox: Sandbox, caller_headers: dict[str, str], path: str, body: bytes
) -> None:
    """Each is a 4xx problem, none a 5xx, and none reaches the provider."""
    answer = broker.post(path, content=body, headers=caller_headers | JSON_TYPE)

    assert 400 <= answer.status_code < 500, answer.text
    assert "application/problem+json" == answer.headers["content-type"]
    assert [] == sandbox.requests()


def nested(levels: int, opening: str, closing: str) -> bytes:
    """A body of this many levels, the object around all of it among them; brackets in a text are none."""
    inner = opening * (levels - 1) + '"[[{\\"[{"' + closing * (levels - 1)
    return f'{{"items":[{{"product":"[\\\\"}}],"metadata":{inner}}}'.encode()


@BOTH
@pytest.mark.parametrize("kind", [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
def test_depth(
    broker: httpx.Client, sandbox: Sandbox, caller_headers: dict[str, str], path: str, kind: tuple[str, str]
) -> None:
    """Thirty-two levels are read, also beside brackets in a text, and thirty-three are refused before anything else."""
    bodies = [nested(levels, *kind) for levels in (32, 33)]
    answers = [broker.post(path, content=body, headers=caller_headers | JSON_TYPE) for body in bodies]

    assert 400 == answers[1].status_code
    assert [False, True] == ["nested too deeply" in answer.json()["detail"] for answer in answers]
    assert [] == sandbox.requests()


@pytest.mark.parametrize(
    ("body", "field", "detail"),
    [
        (b'{"items": [{"product": 1}]}', "items[0].product", "Expected `str`, got `int`."),
        (b'{"items": [{"product": "a", "price": 1}]}', "items[0].price", "There is no such member."),
        (b'{"items": [{"quantity": 1}]}', "items[0].product", "This member is required."),
        (b'{"items": [{"product": "a b"}]}', "items[0].product", "This has not the documented form."),
        (b'{"price": 1}', "price", "There is no such member."),
        (b'{"items": [], "ada@example.org": 1}', "", "There is no such member."),
        (b'{"items": [], "x` - at `$.ada@example.org": 1}', "", "There is no such member."),
        (
            b'{"items": [], "customer": {"shipTo": {"type": "ada@example.org"}}}',
            "customer.shipTo.type",
            "This is none of the documented values.",
        ),
        (b'{"items": [{"product": "a", "quantity": 0}]}', "items[0].quantity", "Expected `int` >= 1."),
        (b'{"items": 1, "items": 2}', "items", "Expected `array`, got `int`."),
        (b'{"items": [], "items": []}', "items", "This member stands twice in one object: keep one."),
        (b'{"items":[],"items":[]}', "items", "This member stands twice in one object: keep one."),
        (
            b'{"items":[],"fresh":false,"\\u0066resh":false}',
            "fresh",
            "This member stands twice in one object: keep one.",
        ),
        (b'{"items": [], "4111111111111111": 1, "4111111111111111": 2}', "", "There is no such member."),
    ],
)
def test_problem_names_the_place(broker: httpx.Client, body: bytes, field: str, detail: str) -> None:
    """The error says where and what, by names that are safe to show, and never quotes a value."""
    answer = broker.post("/checkout", content=body, headers=JSON_TYPE)

    assert [{"field": field, "detail": detail}] == answer.json()["errors"]


def test_empty_strings_count_as_absent(broker: httpx.Client, sandbox: Sandbox, caller_headers: dict[str, str]) -> None:
    """What a form leaves empty is as if it had not been sent: at the top, inside, in items and in maps."""
    blanks = {
        "checkout": "",
        "coupon": "",
        "country": "",
        "language": "",
        "returnUrl": "",
        "accountId": "",
        "customer": {"email": "", "address": {"line1": ""}, "shipTo": {"email": "", "address": {}}},
        "items": [{"product": "pro-license", "giftToCustomerId": "", "attributes": {"license-name": ""}}],
        "orderTags": {"campaign": ""},
        "promoCodes": [""],
    }
    answer = broker.post("/internal/checkout", json=blanks, headers=caller_headers)
    [body] = sandbox.bodies()
    reference = answer.json()["reference"]

    assert 201 == answer.status_code
    assert {"live", "cart", "orderTags", "paymentMethodsOrder"} == body.keys()
    assert {"channel": "web", "broker_ref": reference} == body["orderTags"]
    assert {
        "lineItems": [{"productPath": "pro-license", "quantity": 1, "attributes": {"broker_ref": reference}}]
    } == body["cart"]


def test_blank_that_is_required_stays() -> None:
    """A member without a default has nothing to fall back to."""
    item = Item(product="p", payout_splits=(PayoutSplit(payout_id=""),))

    assert OrderRequest(items=(item,), customer=Customer(address=Address())) == without_blanks(
        OrderRequest(items=(item,), coupon="", customer=Customer(email="", address=Address(city="")))
    )


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
NAMES = sorted(
    {name for kind in (OrderRequest, Item, Customer) for name in kind.__struct_encode_fields__} | {"customPrice", "x"}
)
ALMOST = st.fixed_dictionaries(
    {"items": st.lists(st.dictionaries(st.sampled_from(NAMES), ANY_JSON, max_size=3), max_size=2) | ANY_JSON},
).flatmap(lambda base: st.dictionaries(st.sampled_from(NAMES), ANY_JSON, max_size=4).map(lambda more: more | base))
GOOD = json.dumps(CART | {"customer": {"email": "a@b.example", "address": {"city": "x"}}, "coupon": ""}).encode()


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A good body with some of its bytes replaced, cut out or doubled."""
    body = bytearray(GOOD)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(body) - 1))
        body[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=4))
        body = body or bytearray(b"{")
    return bytes(body)


BODIES = st.one_of(st.binary(max_size=200), ALMOST.map(lambda value: json.dumps(value).encode()), spoiled())


def test_no_input_makes_a_server_error(send: Send, caller_headers: dict[str, str]) -> None:
    """Over 2,000 bodies of random bytes, random JSON of our names, and spoiled good ones: never a 5xx of ours."""
    seen: list[int] = []

    @settings(
        max_examples=1000,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    @given(BODIES)
    def check(body: bytes) -> None:
        for path in ("/checkout", "/internal/checkout"):
            answer = send("POST", path, content=body, headers=caller_headers | JSON_TYPE)
            seen.append(answer.status_code)
            assert answer.status_code < 500, (body, answer.text)
            assert answer.status_code < 300 or msgspec.json.decode(answer.content)["status"] == answer.status_code

    check()

    assert len(seen) >= 2000


def test_a_member_twice_among_thousands_is_found_at_once() -> None:
    """The search for the member that stands twice takes no longer than the reading."""
    names = ",".join(f'"n{number}":0' for number in range(8_000))
    body = f'{{"items":[],"orderTags":{{{names},"n7999":1}}}}'.encode()
    with pytest.raises(InvalidRequestError) as refused:
        decode(msgspec.json.Decoder(BrowserRequest), body)

    assert ["n7999"] == [error.field for error in refused.value.errors]
    started = time.process_time()
    for _ in range(10):
        with pytest.raises(InvalidRequestError):
            decode(msgspec.json.Decoder(BrowserRequest), body)
    assert time.process_time() - started < 2  # 10 s and more with a search that looks at every pair


def test_numbers_that_take_long_to_read_are_not_read() -> None:
    """Ten thousand of them, in a member that is refused, cost little more than the standard library takes for them."""
    body = ('{"items":[],"metadata":[' + "1e308," * 10_000 + "0]}").encode()
    decoder = msgspec.json.Decoder(BrowserRequest)

    assert fastest(lambda: decode(decoder, body)) < 8 * fastest(lambda: json.loads(body))  # 21 times if read


@pytest.mark.parametrize("number", ["1.5", "-0.0", "1e308"])
def test_a_member_twice_beside_a_fraction(number: str) -> None:
    """A number whose text may be another one after reading and writing hides no member that stands twice."""
    decoder = msgspec.json.Decoder(BrowserRequest)
    body = f'{{"items":[],"metadata":{{"a":{number},"b":0}}}}'
    decode(decoder, body.encode())
    with pytest.raises(InvalidRequestError):
        decode(decoder, body.replace('"b"', '"a"').encode())


def fastest(work: Callable[[], object]) -> float:
    """The processor time that it takes, at best."""
    taken = []
    for _ in range(5):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return min(taken)
