"""What a running sandbox knows: clock, credentials, faults, requests seen, each provider's memory."""

import secrets
from collections.abc import Sequence
from typing import TypeVar

from litestar.di import NamedDependency
from litestar.params import SkipValidation
from msgspec import Struct

from service.sandbox.clock import Clock, MovableClock, utc_now
from service.sandbox.faults import FaultDial
from service.sandbox.requestlog import RequestLog

Credentials = tuple[str, str]


class Setup(Struct, frozen=True, kw_only=True):
    """How a sandbox starts, and what a reset goes back to; `settings` are the providers' own structs."""

    clock: Clock = utc_now
    public_url: str | None = None
    credentials: Sequence[Credentials] = (("sandbox", "sandbox"),)
    settings: Sequence[object] = ()
    fault_kinds: frozenset[str] = frozenset()


class Part:
    """The memory of one provider, made when first asked for."""

    def __init__(self, world: "World") -> None:
        self.world = world


SettingT = TypeVar("SettingT")
PartT = TypeVar("PartT", bound=Part)


class World:
    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._parts: dict[type[Part], Part] = {}
        self.clock = MovableClock(setup.clock)
        self.faults = FaultDial(secrets.SystemRandom().random)
        self.requests = RequestLog()
        self.credentials = list(setup.credentials)
        self.public_url = setup.public_url
        self.fault_kinds = setup.fault_kinds

    def reset(self) -> None:
        self._parts.clear()
        self.clock.reset()
        self.faults.set([])
        self.requests.clear()
        self.credentials = list(self._setup.credentials)

    def part(self, kind: type[PartT]) -> PartT:
        part = self._parts.get(kind)
        if not isinstance(part, kind):
            part = self._parts[kind] = kind(self)
        return part

    def setting(self, default: SettingT) -> SettingT:
        """The provider's settings that were given at the start, or its defaults."""
        given = (setting for setting in self._setup.settings if isinstance(setting, type(default)))
        return next(given, default)


WorldDependency = NamedDependency[SkipValidation[World]]
