"""Finds the providers: every module of this package that has a `PROVIDER`, under its own name."""

from importlib import import_module
from pkgutil import iter_modules

import service.providers
from service.checkout.settings import CheckoutSettings
from service.providers.base import ProviderModule, UpstreamSettings

Module = ProviderModule[UpstreamSettings, CheckoutSettings]
_NAMES = tuple(info.name for info in iter_modules(service.providers.__path__))


def provider(name: str) -> Module | None:
    """The provider of this name; its code is loaded when it is first asked for."""
    if name not in _NAMES:
        return None
    found: Module | None = getattr(import_module(f"{service.providers.__name__}.{name}"), "PROVIDER", None)
    return found


def discover() -> dict[str, Module]:
    """Every provider by its name."""
    return {name: module for name in _NAMES if (module := provider(name))}
