"""How tests change sessions through the internal API: a session, and each route that changes it."""

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from service.app import create_app
from service.store.embedded import EmbeddedStore
from tests.support.config import settings_of
from tests.support.servers import serving

CART: dict[str, Any] = {"items": [{"product": "pro-license", "quantity": 2}], "country": "DE"}
NO_SESSION = "cs_01kb2w8z4e6m3q9r7t5v1x0y2a"

# method, path below the session, body
CHANGES: dict[str, tuple[str, str, object]] = {
    "replace": ("PUT", "", {"items": [{"product": "handbook"}], "customer": {"email": "ada@example.org"}}),
    "customer": ("PUT", "/customer", {"email": "ada@example.org"}),
    "add": ("POST", "/items", {"product": "handbook"}),
    "update": ("PUT", "/items/pro-license", {"quantity": 3}),
    "remove": ("DELETE", "/items/team-license", None),
}
ROUTES: dict[str, tuple[str, str, object]] = {
    "read": ("GET", "", None),
    "methods": ("GET", "/payment-methods", None),
    "retire": ("DELETE", "", None),
    **CHANGES,
}


class MadeSession:
    """A session that a caller made for a buyer of its own, and the caller's way to it."""

    def __init__(self, broker: httpx.Client, headers: dict[str, str], **members: object) -> None:
        self.broker = broker
        self._headers = headers | {"Buyer-Key": secrets.token_urlsafe(24)}
        self._body = CART | members
        self.answer = self.made_again()
        assert 201 == self.answer.status_code, self.answer.text
        self.reference = str(self.answer.json()["reference"])

    def made_again(self) -> httpx.Response:
        """The answer to the same request of the same buyer."""
        return self.broker.post("/internal/checkout", json=self._body, headers=self._headers)

    def is_linked(self) -> bool:
        """Whether the same request of the same buyer leads to this session."""
        return self.reference == str(self.made_again().json()["reference"])

    def ask(self, name: str, body: object = None, **headers: str) -> httpx.Response:
        """The answer of a route by its name, with its usual body or another."""
        method, path, usual = ROUTES[name]
        return self.send(method, path, usual if body is None else body, **headers)

    def send(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """The answer of any route below the session."""
        url = f"/internal/sessions/{self.reference}{path}"
        return self.broker.request(method, url, json=body, headers=self._headers | headers, timeout=20)

    def record(self) -> Any:  # noqa: ANN401  # answers are picked apart by the assertions themselves
        """The record as it is now."""
        return self.ask("read").json()


@contextmanager
def running_broker(toml: str, store: EmbeddedStore, folder: Path) -> Generator[httpx.Client]:
    """A broker that is served for as long as the context is open, with names of its own in the store."""
    named = f'{toml}\n[store]\nkey_prefix = "t-{secrets.token_hex(4)}"\n'
    app = create_app(settings_of(named, folder), embedded=store.directory)
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
        yield client


Found = tuple[int, str, list[str]]


def problem_of(answer: httpx.Response) -> Found:
    """Status, slug and fields of a problem."""
    document = answer.json()
    fields = [error["field"] for error in document.get("errors", ())]
    return answer.status_code, document["type"].removeprefix("/problems/"), fields
