"""The control routes."""

import httpx

SESSIONS = "/v2/checkouts/acme/popup-checkout/sessions"


async def test_fault_is_set_seen_and_cleared(seller: httpx.AsyncClient) -> None:
    """A fault acts as often as it says, its use can be read, and clearing ends it."""
    await seller.put("/_sandbox/faults", json=[{"kind": "error_500", "times": 1}, {"kind": "unavailable_503"}])

    statuses = [(await seller.post(SESSIONS, json={})).status_code for _ in range(2)]
    used = [armed["used"] for armed in (await seller.get("/_sandbox/faults")).json()]
    await seller.delete("/_sandbox/faults")

    assert ([500, 503], [1, 1]) == (statuses, used)
    assert 201 == (await seller.post(SESSIONS, json={})).status_code


async def test_unknown_fault_is_refused(seller: httpx.AsyncClient) -> None:
    """A kind of fault or a member that does not exist is refused, so that no test runs without its fault."""
    bodies = [[{"kind": "sloow"}], [{"kind": "slow", "second": 3}]]

    assert [400, 400] == [(await seller.put("/_sandbox/faults", json=body)).status_code for body in bodies]


async def test_clock_moves(seller: httpx.AsyncClient) -> None:
    """The clock is pushed forward by seconds."""
    answer = await seller.post("/_sandbox/clock", json={"advanceSeconds": 3600})

    assert {"now": "2026-01-01T13:00:00.000Z"} == answer.json() == (await seller.get("/_sandbox/clock")).json()


async def test_requests_are_kept_as_they_arrived(seller: httpx.AsyncClient) -> None:
    """A request is kept with its raw path, query, headers and body; control requests are not kept."""
    await seller.post(f"{SESSIONS}/a%2Fb?x=1", content=b'{"a": 1}', headers={"X-Two": "2"})
    [request] = (await seller.get("/_sandbox/requests")).json()

    assert ("POST", f"{SESSIONS}/a%2Fb", "x=1") == (request["method"], request["path"], request["query"])
    assert ({"a": 1}, '{"a": 1}') == (request["body"], request["bodyText"])
    assert ["x-two", "2"] in request["headers"]


async def test_body_that_is_no_json_is_kept_as_text(seller: httpx.AsyncClient) -> None:
    """A body that cannot be parsed is null, and its text is there."""
    await seller.post(SESSIONS, content=b"<xml>")
    [request] = (await seller.get("/_sandbox/requests")).json()

    assert (None, "<xml>") == (request["body"], request["bodyText"])


async def test_requests_can_be_cleared(seller: httpx.AsyncClient) -> None:
    """The list of requests is empty after clearing."""
    await seller.post(SESSIONS, json={})
    await seller.delete("/_sandbox/requests")

    assert [] == (await seller.get("/_sandbox/requests")).json()


async def test_credentials_rotate(seller: httpx.AsyncClient) -> None:
    """Several pairs of credentials may be accepted, and a pair that was taken out is refused."""
    await seller.put("/_sandbox/credentials", json=[["new", "one"], ["newer", "two"]])
    pairs = [("new", "one"), ("newer", "two"), ("sandbox", "sandbox")]

    assert [201, 201, 401] == [(await seller.post(SESSIONS, json={}, auth=pair)).status_code for pair in pairs]


async def test_reset_forgets_everything(seller: httpx.AsyncClient) -> None:
    """A reset takes back faults, clock, credentials, sessions and requests."""
    await seller.post(SESSIONS, json={})
    await seller.put("/_sandbox/faults", json=[{"kind": "slow"}])
    await seller.put("/_sandbox/credentials", json=[])
    await seller.post("/_sandbox/clock", json={"advanceSeconds": 5})
    await seller.post("/_sandbox/reset")

    lists = [(await seller.get(f"/_sandbox/{name}")).json() for name in ("faults", "sessions", "requests")]
    assert [[], [], []] == lists
    assert {"now": "2026-01-01T12:00:00.000Z"} == (await seller.get("/_sandbox/clock")).json()
    assert 201 == (await seller.post(SESSIONS, json={})).status_code


async def test_settings_can_be_read(seller: httpx.AsyncClient) -> None:
    """What is in force can be read back; a member that does not exist is refused."""
    path = "/_sandbox/fastspring/settings"
    await seller.put(path, json={"restrictedWithoutAuth": "ignore"})

    assert "ignore" == (await seller.get(path)).json()["restrictedWithoutAuth"]
    assert 400 == (await seller.put(path, json={"restricted": "ignore"})).status_code
