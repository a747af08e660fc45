"""Five thousand ids: whatever they are, a provider sees the request lines that it should and no others."""

import json
import random
import secrets
from pathlib import Path

from service.app import create_app
from service.checkout.errors import UpstreamMisconfiguredError
from service.checkout.ports import UpstreamRequest
from service.store.embedded import EmbeddedStore
from tests.fuzz.conftest import fuzz_toml
from tests.fuzz.corpora import inputs
from tests.fuzz.targets.paths import is_plain
from tests.support.config import CALLER_KEY, settings_of
from tests.support.full import IN_FULL
from tests.support.running import running
from tests.support.servers import Sandbox
from tests.support.upstream import AUTHORIZATION, Upstream, answering, client_of, response, upstream

IDS = 100_000 if IN_FULL else 5_000
THROUGH_THE_APPLICATION = 5_000 if IN_FULL else 400
CREATE = "POST /v2/checkouts/acme/popup-checkout/sessions HTTP/1.1"
_PIECES = (
    *"aZ09._~-/\\?#@:;%&= +*'\"<>|\r\n\t\x00\x7f",
    "%2e",
    "%2F",
    "..",
    "\uff0e",
    "\uff0f",
    "\u202e",
    "\u2028",
    "é",
    "\U0001f600",
)


def ids(count: int) -> list[str]:
    """The corpus, and texts of the same pieces; every other one is short, so that good ones are among them."""
    luck = random.Random(4)  # noqa: S311  # no secret
    known = [data.decode("utf-8", "replace") for name in ("paths", "references") for data in inputs(name).values()]
    made = [
        "".join(luck.choice(_PIECES) for _ in range(luck.randint(1, 3 + number % 2 * 9))) for number in range(count)
    ]
    return (known + made)[:count]


def headers_of(server: Upstream) -> set[str]:
    """The names of every header that came."""
    return {name.lower() for request in server.requests for name, _ in request.headers}


async def test_no_id_steers_a_call() -> None:
    """An id is one segment of the path, as it is, or there is no call; no header comes of one."""
    tried = ids(IDS)
    expected = [f"GET /v2/{one}/items HTTP/1.1" for one in tried if is_plain(one)]
    async with upstream(answering(response(200))) as server, client_of(server.url) as client:
        for one in tried:
            try:
                await client.send(UpstreamRequest(method="GET", segments=("v2", one, "items")))
            except UpstreamMisconfiguredError:
                assert not is_plain(one), one

    assert IDS == len(tried)
    assert len(expected) > IDS / 50
    assert expected == [request.line for request in server.requests]
    assert {"host", "authorization", "accept", "accept-encoding", "user-agent"} == headers_of(server)
    assert {AUTHORIZATION} == {request.header("authorization") for request in server.requests}


async def test_no_id_of_a_request_steers_a_call(store: EmbeddedStore, tmp_path: Path) -> None:
    """The same ids as checkout, product, reference and customer of requests: the provider sees creates alone."""
    headers = {"Authorization": f"Bearer {CALLER_KEY}"}
    async with upstream(answering(response(400))) as server:
        app = create_app(settings_of(fuzz_toml(server.url, tmp_path), tmp_path), embedded=store.directory)
        async with running(app) as client:
            for one in ids(THROUGH_THE_APPLICATION):
                path = "".join(f"%{byte:02x}" for byte in one.encode())
                answers = [
                    await client.post("/checkout", json={"checkout": one, "items": [{"product": "a"}]}),
                    await client.post("/checkout", json={"items": [{"product": one}]}),
                    await client.post(
                        "/internal/checkout", json={"items": [{"product": "a"}], "accountId": one}, headers=headers
                    ),
                    await client.get(f"/internal/sessions/{path}", headers=headers),
                    await client.get(f"/checkout/{path}", headers={"Buyer-Key": secrets.token_urlsafe(24)}),
                ]
                assert {400, 404, 422, 403, 405, 414} >= {answer.status_code for answer in answers}, (one, answers)

    assert {CREATE} == {request.line for request in server.requests}
    assert len(server.requests) > 10


async def test_no_product_in_an_address_steers_a_call(store: EmbeddedStore, sandbox: Sandbox, tmp_path: Path) -> None:
    """The product of a session's line stands in our address and in the provider's: as itself, or nowhere."""
    headers = {"Authorization": f"Bearer {CALLER_KEY}"}
    app = create_app(settings_of(fuzz_toml(sandbox.url, tmp_path), tmp_path), embedded=store.directory)
    async with running(app) as client:
        made = await client.post("/internal/checkout", json={"items": [{"product": "pro-license"}]}, headers=headers)
        session, reference = made.json()["sessionId"], made.json()["reference"]
        for one in ids(THROUGH_THE_APPLICATION):
            path = "".join(f"%{byte:02x}" for byte in one.encode())
            answer = await client.delete(f"/internal/sessions/{reference}/items/{path}", headers=headers)
            assert answer.status_code < 500, (one, answer.text)

    base = f"/v2/checkouts/acme/popup-checkout/sessions/{session}"
    strange = [
        json.dumps(request["path"])
        for request in sandbox.requests()
        if not (path := str(request["path"])).removesuffix("/items").endswith("/sessions")
        and path != base
        and not (
            path.startswith(f"{base}/items") and is_plain(path.removeprefix(f"{base}/items").removeprefix("/") or "a")
        )
    ]
    assert [] == strange
