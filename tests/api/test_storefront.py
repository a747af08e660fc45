"""What a browser may see of its session afterwards, and the script that it loads."""

import httpx
import pytest

CART = {"items": [{"product": "pro-license", "quantity": 2}], "country": "DE"}


def test_browser_reads_its_own_session(broker: httpx.Client, buyer_key: str) -> None:
    """The `Buyer-Key` that made a session sees its state and where to go back to, and nothing else of it."""
    wanted = CART | {"returnUrl": "https://shop.example/thanks"}
    reference = broker.post("/checkout", json=wanted, headers={"Buyer-Key": buyer_key}).json()["reference"]
    answer = broker.get(f"/checkout/{reference}", headers={"Buyer-Key": buyer_key})

    assert 200 == answer.status_code
    assert {"reference": reference, "state": "open", "returnUrl": "https://shop.example/thanks"} == answer.json()


@pytest.mark.parametrize("key", [None, "", "another-buyer-key-0123456789", "short", "a" * 500])
def test_session_is_for_its_buyer_alone(broker: httpx.Client, buyer_key: str, key: str | None) -> None:
    """Another key, a malformed one and none get the answer for a session that there is not."""
    reference = broker.post("/checkout", json=CART, headers={"Buyer-Key": buyer_key}).json()["reference"]
    headers = {} if key is None else {"Buyer-Key": key}
    answer = broker.get(f"/checkout/{reference}", headers=headers)
    unknown = broker.get("/checkout/cs_01kb2w8z4e6m3q9r7t5v1x0y2a", headers={"Buyer-Key": buyer_key})

    assert (404, "/problems/unknown-session") == (answer.status_code, answer.json()["type"])
    assert unknown.json() | {"instance": ""} == answer.json() | {"instance": ""}


def test_session_without_buyer_key_is_read_by_nobody(broker: httpx.Client) -> None:
    """What was made without a key belongs to no browser, not even to one that sends an empty key."""
    reference = broker.post("/checkout", json=CART).json()["reference"]

    assert [404, 404] == [
        broker.get(f"/checkout/{reference}", headers=headers).status_code for headers in ({}, {"Buyer-Key": ""})
    ]


def test_client_script_is_for_every_site(broker: httpx.Client) -> None:
    """`GET /checkout.js` is a script that any page may load, and that a cache may keep for a while."""
    answer = broker.get("/checkout.js", headers={"Origin": "https://anywhere.test", "Sec-Fetch-Site": "cross-site"})

    assert 200 == answer.status_code
    assert "text/javascript; charset=utf-8" == answer.headers["content-type"]
    assert "cross-origin" == answer.headers["cross-origin-resource-policy"]
    assert "public, max-age=300" == answer.headers["cache-control"]
