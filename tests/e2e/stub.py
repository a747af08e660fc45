"""A shop, a broker and a provider on two ports, which play whatever a test of checkout.js asks for."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from service.storefront import asset

SESSION_ID = "OS260101000000042XYZ"
REFERENCE = "cs_01k9stub"

BUILDER = """
const attribute = document.currentScript.getAttribute("data-popup-closed");
window.fastspring = { builder: { opened: 0, checkout(id) {
  this.opened += 1;
  const frame = document.createElement("iframe");
  frame.src = new URL("/hosted/" + id, "%s");
  document.body.append(frame);
  addEventListener("message", ({ data }) => { frame.remove(); window[attribute](data); }, { once: true });
} } };
"""
EVENTS = """
const listeners = {};
window.PayNow = { checkout: {
  on(event, fn) { (listeners[event] = listeners[event] || []).push(fn); },
  open({ token }) { window.opened = token; },
  emit(event, detail) { listeners[event].forEach((fn) => fn(detail)); },
} };
"""
HOSTED = """<!doctype html><title>Hosted</title>
<button id="pay">Pay</button><button id="cancel">Close</button>
<script>
const close = (order) => parent.postMessage(order, "*");
document.querySelector("#pay").onclick = () => close({ id: "ORD1", reference: "ACME-1" });
document.querySelector("#cancel").onclick = () => close(null);
</script>"""
SCRIPTS = {
    "popup": BUILDER,
    "empty": "window.somethingElse = {};",
    "throws": "window.fastspring = { builder: { checkout() { throw new Error('no'); } } };",
    "rejects": "window.fastspring = { builder: { async checkout() { throw new Error('no'); } } };",
    "events": EVENTS,
}


@dataclass(frozen=True, kw_only=True)
class Call:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def order(self) -> object:
        return msgspec.json.decode(self.body)


@dataclass(kw_only=True)
class Stub:
    shop: str = ""
    broker: str = ""
    builder: str = "popup"
    status: int = 201
    answer: Mapping[str, object] | None = None
    record: Mapping[str, object] | None = None
    hang_up: bool = False
    above: str = ""
    head: str = ""
    policy: str | None = None
    calls: list[Call] = field(default_factory=list[Call])

    @property
    def opener(self) -> dict[str, object]:
        return {
            "script": {
                "src": f"{self.broker}/builder.js",
                "attributes": {"id": "fsc-api", "data-storefront": "acme.example/popup"},
            },
            "call": "fastspring.builder.checkout",
            "arguments": [SESSION_ID],
            "closed": {"attribute": "data-popup-closed"},
        }

    def session(self, **changes: object) -> dict[str, object]:
        url = f"{self.broker}/checkout/session/{SESSION_ID}"
        session = {"reference": REFERENCE, "sessionId": SESSION_ID, "checkoutUrl": url, "opener": self.opener}
        return session | changes

    def posts(self) -> list[Call]:
        return [call for call in self.calls if (call.method, call.path) == ("POST", "/checkout")]

    async def remember(self, request: web.Request) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        self.calls.append(Call(method=request.method, path=request.path, headers=headers, body=body))

    async def create(self, request: web.Request) -> web.Response:
        await self.remember(request)
        if self.hang_up and request.transport:
            request.transport.abort()
        kind = "application/json" if self.status < 400 else "application/problem+json"
        answer = self.session() if self.answer is None else self.answer
        return web.Response(status=self.status, body=msgspec.json.encode(answer), content_type=kind, headers=CORS)

    async def read(self, request: web.Request) -> web.Response:
        await self.remember(request)
        status = 404 if self.record is None else 200
        return web.Response(status=status, body=msgspec.json.encode(self.record), headers=CORS)

    async def script(self, request: web.Request) -> web.Response:
        await self.remember(request)
        text = SCRIPTS.get(self.builder)
        if text is None:
            return web.Response(status=404)
        text = text % self.broker if self.builder == "popup" else text
        return web.Response(text=text, content_type="text/javascript")

    async def page(self, request: web.Request) -> web.Response:
        broker = self.broker
        policy = f"default-src 'none'; script-src {broker}; connect-src {broker}; frame-src {broker}"
        head = self.head.replace("{broker}", broker)
        client = f'<script src="{broker}/checkout.js" nonce="n1"></script>'
        text = f"<!doctype html><title>Shop</title>{self.above}{client}{head}<body>"
        return html(text, {"Content-Security-Policy": self.policy or policy})


CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "content-type, buyer-key"}


def html(text: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(text=text, content_type="text/html", headers=headers)


async def allow(_: web.Request) -> web.Response:
    return web.Response(headers=CORS)


async def client(_: web.Request) -> web.Response:
    return web.Response(body=asset("checkout.js"), content_type="text/javascript")


async def hosted(_: web.Request) -> web.Response:
    return html(HOSTED)


async def plain(request: web.Request) -> web.Response:
    return html(f"<!doctype html><title>Page</title>{request.path}")


def stub_app(stub: Stub) -> web.Application:
    app = web.Application()
    app.add_routes(
        [
            web.get("/", stub.page),
            web.get("/checkout.js", client),
            web.options("/checkout", allow),
            web.post("/checkout", stub.create),
            web.options("/checkout/{reference}", allow),
            web.get("/checkout/{reference}", stub.read),
            web.get("/builder.js", stub.script),
            web.get("/hosted/{id}", hosted),
            web.get("/{page:.*}", plain),
        ]
    )
    return app


async def listen(runner: web.AppRunner) -> str:
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return site.name


@asynccontextmanager
async def running_stub() -> AsyncGenerator[Stub]:
    stub = Stub()
    runner = web.AppRunner(stub_app(stub))
    await runner.setup()
    try:
        stub.shop = await listen(runner)
        stub.broker = await listen(runner)
        yield stub
    finally:
        await runner.cleanup()
