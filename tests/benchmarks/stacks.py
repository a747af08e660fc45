"""The stacks that are compared, and how each is started."""

import base64
import secrets
from collections.abc import Callable, Mapping

from msgspec import Struct

from tests.benchmarks.world import HERE, TOOLS, World, fill, nginx

CONFIG = HERE / "checkout.toml"
OURS, FASTIFY, FASTAPI, NGINX = "checkout-broker", "Fastify", "FastAPI", "nginx"
TITLES = {
    OURS: "this service, as shipped",
    FASTIFY: "Fastify, undici, ioredis",
    FASTAPI: "FastAPI, httpx, redis-py",
    NGINX: "nginx proxy_pass, no store (the floor)",
}


KEPT = {OURS: "*:session:*", FASTIFY: "*", FASTAPI: "*"}
"""Keys of the store of which there is one for each session that a stack kept."""


class Start(Struct, frozen=True, kw_only=True):
    """What a stack is started with; `slow` is the provider that takes 200 ms."""

    world: World
    port: int
    slow: bool = False
    workers: int = 1

    @property
    def upstream_url(self) -> str:
        """The provider's address."""
        return self.world.upstream_url(slow=self.slow)

    @property
    def environ(self) -> dict[str, str]:
        """As the peers are told it."""
        return {
            "PORT": str(self.port),
            "WORKERS": str(self.workers),
            "STORE_URL": self.world.store_url,
            "UPSTREAM_URL": self.upstream_url,
        }


def _ours(start: Start) -> tuple[list[str], Mapping[str, str]]:
    config = start.world.folder / f"checkout-{start.port}.toml"
    fill(CONFIG, config, start.environ)
    environ = {"CHECKOUT_CONFIG": str(config), "CHECKOUT_PORT": str(start.port), "CHECKOUT_LOG": "json"}
    keys = {name: base64.b64encode(secrets.token_bytes(32)).decode() for name in ("SEAL_KEY", "HASH_KEY")}
    return [str(TOOLS / "ours/bin/python"), "-m", "service", "serve"], {**environ, **keys, "BENCH": "bench"}


def _fastify(start: Start) -> tuple[list[str], Mapping[str, str]]:
    return ["node", str(TOOLS / "fastify" / "server.mjs")], {"NODE_ENV": "production", **start.environ}


def _fastapi(start: Start) -> tuple[list[str], Mapping[str, str]]:
    options = f"--port {start.port} --workers {start.workers} --backlog 4096 --no-access-log --log-level warning"
    folder = HERE / "peers" / "fastapi"
    command = [str(TOOLS / "fastapi/bin/uvicorn"), "app:app", "--app-dir", str(folder), *options.split()]
    return command, start.environ


def _nginx(start: Start) -> tuple[list[str], Mapping[str, str]]:
    values = {"PORT": str(start.port), "UPSTREAM_PORT": str(start.world.upstream_port)}
    return nginx(HERE / "peers" / "nginx" / "proxy.conf", start.world.folder / f"proxy-{start.port}", values), {}


COMMANDS: Mapping[str, Callable[[Start], tuple[list[str], Mapping[str, str]]]] = {
    OURS: _ours,
    FASTIFY: _fastify,
    FASTAPI: _fastapi,
    NGINX: _nginx,
}
