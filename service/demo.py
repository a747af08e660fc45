"""The demo: the service, the sandbox upstreams and a shop, in one process with nothing to configure."""

import asyncio
import signal
import socket
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvicorn
from litestar import Litestar, Response, Router, get

from service.api.edge import Edge
from service.app import create_app
from service.observability.logging import configure_logging
from service.sandbox.app import create_sandbox
from service.settings import Settings, load_settings
from service.startup import end_on_signals, fail, listen, port, url_of
from service.store.embedded import EmbeddedStore, EmbeddedStoreError
from service.storefront import asset, shop_page

_HOST = "127.0.0.1"
_BROKER_PORT = 8000
_SANDBOX_PORT = 8010
_CREDENTIAL = "sandbox"
_CONFIG = """\
[server]
trusted_proxies = ["127.0.0.1/32"]

[upstreams.sandbox]
provider = "fastspring_v2"
base_url = "{sandbox}"
credentials = [{{ username = {{ env = "DEMO_USERNAME" }}, password = {{ env = "DEMO_PASSWORD" }} }}]

[checkouts.default]
upstream = "sandbox"
path = "acme/popup-checkout"
storefront = "{sandbox_host}/popup-checkout"
builder_url = "{sandbox}/sbl/1.0.3/fastspring-builder.min.js"
live = false
allowed_origins = ["{sandbox}"]
return_urls = ["{sandbox}/*"]
attributes = ["license-name"]

[checkouts.default.order_tags]
channel = "web"
country = "{{country}}"

[[checkouts.default.payment_methods]]
when = {{ country = ["DE", "AT"] }}
order = ["SEPA", "PAYPAL", "CARD"]
hide = ["WIRE"]

[[checkouts.default.payment_methods]]
order = ["CARD", "PAYPAL"]

[upstreams.legacy]
provider = "fastspring_v1"
base_url = "{sandbox}"
credentials = [{{ username = {{ env = "DEMO_USERNAME" }}, password = {{ env = "DEMO_PASSWORD" }} }}]

[checkouts.legacy]
upstream = "legacy"
storefront = "{sandbox_host}/popup-checkout"
builder_url = "{sandbox}/sbl/1.0.3/fastspring-builder.min.js"
live = false
allowed_origins = ["{sandbox}"]

[upstreams.games]
provider = "paynow_gg"
base_url = "{sandbox}"
credentials = [{{ api_key = {{ env = "DEMO_PASSWORD" }} }}]

[checkouts.games]
upstream = "games"
store_id = "411486491630370816"
builder_url = "{sandbox}/paynow-js/bundle.js"
customer_identity = "name"
live = true
allowed_origins = ["{sandbox}"]
return_urls = ["{sandbox}/*"]
"""
_WELCOME = """
  Open the shop:   {sandbox}/
  The API:         {broker}/docs
  Try by hand:     curl -s {broker}/checkout \\
                     -H 'Content-Type: application/json' -H 'Buyer-Key: 9f2b6c1d8e3a4f70b5c6d7e8f9a0b1c2' \\
                     -d '{{"items": [{{"product": "pro-license", "quantity": 2}}], "country": "DE"}}'
  Stop:            Ctrl-C

"""
_SANDBOX_WELCOME = """
  Sandbox upstreams on {url}, credentials {credential}:{credential}
  Try by hand:     curl -s -u {credential}:{credential} {url}/v2/checkouts/acme/popup-checkout/sessions \\
                     -H 'Content-Type: application/json' \\
                     -d '{{"cart": {{"lineItems": [{{"productPath": "pro-license"}}]}}}}'
  Stop:            Ctrl-C

"""


def demo(environ: Mapping[str, str]) -> int:
    """Serve everything until a signal ends it; the ports are CHECKOUT_PORT (8000) and CHECKOUT_SANDBOX_PORT (8010)."""
    configure_logging(environ)
    end_on_signals()
    with ExitStack() as resources:
        broker = resources.enter_context(_listen(environ, "CHECKOUT_PORT", _BROKER_PORT))
        sandbox = resources.enter_context(_listen(environ, "CHECKOUT_SANDBOX_PORT", _SANDBOX_PORT))
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory()))
        try:
            store = resources.enter_context(EmbeddedStore())
        except EmbeddedStoreError as error:
            fail(str(error))
        app = create_app(_settings(folder, url_of(sandbox)), embedded=store.directory)
        companion = create_sandbox(
            public_url=url_of(sandbox),
            credentials=[(_CREDENTIAL, _CREDENTIAL)],
            extra_handlers=[_shop(url_of(broker))],
        )
        welcome = _WELCOME.format(broker=url_of(broker), sandbox=url_of(sandbox))
        asyncio.run(_serve([(app, broker), (companion, sandbox)], welcome))
    return 0


def sandbox(host: str, number: int) -> int:
    """Serve the sandbox upstreams alone."""
    end_on_signals()
    with listen(host, number, "name others with --host and --port") as listener:
        url = url_of(listener)
        app = create_sandbox(public_url=url, credentials=[(_CREDENTIAL, _CREDENTIAL)])
        asyncio.run(_serve([(app, listener)], _SANDBOX_WELCOME.format(url=url, credential=_CREDENTIAL)))
    return 0


def _settings(folder: Path, sandbox_url: str) -> Settings:
    file = folder / "checkout.toml"
    file.write_text(_CONFIG.format(sandbox=sandbox_url, sandbox_host=sandbox_url.removeprefix("http://")))
    secrets = {"DEMO_USERNAME": _CREDENTIAL, "DEMO_PASSWORD": _CREDENTIAL}
    return load_settings({"CHECKOUT_CONFIG": str(file), **secrets}).settings


def _shop(broker_url: str) -> Router:
    @get("/", media_type="text/html")
    async def page() -> Response[bytes]:
        return Response(shop_page(broker_url), media_type="text/html")

    @get("/shop.css")
    async def style() -> Response[bytes]:
        return Response(asset("shop/shop.css"), media_type="text/css")

    @get("/shop.js")
    async def script() -> Response[bytes]:
        return Response(asset("shop/shop.js"), media_type="text/javascript")

    return Router("/", route_handlers=[page, style, script])


def _listen(environ: Mapping[str, str], variable: str, default: int) -> socket.socket:
    try:
        number = port(environ.get(variable) or str(default))
    except ValueError:
        fail(f"{variable} must be a port, for example {default}")
    return listen(environ.get("CHECKOUT_HOST") or _HOST, number, f"name another one in {variable}")


async def _serve(served: list[tuple[Edge | Litestar, socket.socket]], welcome: str) -> None:
    """Serve every application in this process until a signal ends it; the welcome is printed once all answer."""
    servers = [(_Server(_config(app)), listener) for app, listener in served]
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, _stop, [server for server, _ in servers])
    tasks = [asyncio.create_task(server.serve(sockets=[listener])) for server, listener in servers]
    while not all(server.started for server, _ in servers) and not any(task.done() for task in tasks):  # noqa: ASYNC110  # uvicorn has no event
        await asyncio.sleep(0.01)
    sys.stdout.write(welcome)
    sys.stdout.flush()
    await asyncio.gather(*tasks)


def _stop(servers: Sequence[uvicorn.Server]) -> None:
    for server in servers:
        server.should_exit = True


class _Server(uvicorn.Server):
    """One of several in a process: signals are for all of them."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _config(app: Edge | Litestar) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        ws="none",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
