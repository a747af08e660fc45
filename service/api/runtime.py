"""What the routes need of the configuration in force, swapped as a whole when the file changes."""

from collections.abc import Mapping
from typing import Any

from litestar import Request
from litestar.datastructures import State
from msgspec import Struct

from service.api.asked import Asked
from service.api.callers import Callers
from service.api.client_ip import ProxyTrust
from service.api.settings import ServerSettings
from service.checkout.changes import SessionChanges
from service.checkout.ports import Clock
from service.checkout.service import CheckoutService
from service.checkout.sessions import SessionService

AppRequest = Request[Any, Any, State]


class Runtime(Struct, frozen=True, kw_only=True):
    """One configuration, ready to serve. `origins` are those of any checkout."""

    server: ServerSettings
    service: CheckoutService
    sessions: SessionService
    changes: SessionChanges
    trust: ProxyTrust
    callers: Callers
    origins: frozenset[str]
    origins_of: Mapping[str, frozenset[str]]
    clock: Clock


class Current:
    """Holds the runtime in force; a request takes it once and keeps it to its end."""

    def __init__(self) -> None:
        self.runtime: Runtime | None = None

    def knows_origin(self, origin: str) -> bool:
        """Whether any checkout lists this origin."""
        return self.runtime is not None and origin in self.runtime.origins


def runtime_of(asked: Asked) -> Runtime:
    """The runtime in force."""
    current: Current = asked.scope["app"].state["current"]
    if current.runtime is None:
        raise RuntimeError("a request before the start")
    return current.runtime
