"""How tests talk to the played PayNow."""

from collections.abc import Mapping
from typing import Any, Protocol

import httpx

from service.sandbox.paynow.catalogue import STORE, VIP

PATH = f"/v1/stores/{STORE}"
CONTROL = "/_sandbox/paynow"
SERVER = {"Authorization": "APIKey sandbox"}
Json = Any  # answers are picked apart by the assertions themselves


class Receiver(Protocol):
    posts: list[tuple[dict[str, str], bytes]]
    status: int
    answer: bytes

    @property
    def url(self) -> str: ...


def line(product: str = VIP, **members: object) -> dict[str, object]:
    """A line of one of a product."""
    return {"product_id": product, "quantity": 1, **members}


def put(document: dict[str, object], path: str, value: object) -> dict[str, object]:
    """The document with a member set, at a path such as `a.b`, whose parents are made."""
    key, _, rest = path.partition(".")
    child = document.get(key)
    return {**document, key: put(child if isinstance(child, dict) else {}, rest, value) if rest else value}


async def customer(http: httpx.AsyncClient, **members: object) -> Json:
    """A new customer."""
    answer = await http.post(f"{PATH}/customers", json=members, headers=SERVER)
    assert 200 == answer.status_code, answer.text
    return answer.json()


async def token(http: httpx.AsyncClient, customer_id: str) -> str:
    """A token for a customer."""
    answer = await http.post(f"{PATH}/customers/{customer_id}/tokens", headers=SERVER)
    return str(answer.raise_for_status().json()["token"])


async def post_checkout(http: httpx.AsyncClient, *lines: Mapping[str, object], **members: object) -> httpx.Response:
    """The answer to a management call for a new customer."""
    body = {"customer_id": (await customer(http))["id"], "lines": list(lines or [line()]), **members}
    return await http.post(f"{PATH}/checkouts", json=body, headers=SERVER)


async def checkout(http: httpx.AsyncClient, *lines: Mapping[str, object], **members: object) -> Json:
    """A new checkout of a new customer."""
    answer = await post_checkout(http, *lines, **members)
    assert 200 == answer.status_code, answer.text
    return answer.json()


async def change_settings(http: httpx.AsyncClient, **members: object) -> None:
    """Change some of the settings."""
    settings = (await http.get(f"{CONTROL}/settings")).json()
    (await http.put(f"{CONTROL}/settings", json={**settings, **members})).raise_for_status()


async def pay(http: httpx.AsyncClient, checkout_id: str, **payment: object) -> Json:
    """Play a payment of a checkout."""
    answer = await http.post(f"{CONTROL}/checkouts/{checkout_id}/pay", json=payment)
    assert 200 == answer.status_code, answer.text
    return answer.json()


async def get(http: httpx.AsyncClient, path: str, **query: str) -> httpx.Response:
    """What the store's own server reads."""
    return await http.get(f"{PATH}/{path}", params=query, headers=SERVER)


def fault(answer: httpx.Response) -> tuple[int, str]:
    """The status of a refusal, and the path of its one error."""
    [error] = answer.json()["errors"]
    return answer.status_code, str(error["path"])
