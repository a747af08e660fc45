"""Finds the providers: every module of this package that has a `PROVIDER`."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import service.providers
from service.checkout.settings import CheckoutSettings
from service.providers.base import ProviderModule, UpstreamSettings


@cache
def discover() -> dict[str, ProviderModule[UpstreamSettings, CheckoutSettings]]:
    """Provider modules by name."""
    modules = (
        import_module(f"{service.providers.__name__}.{info.name}") for info in iter_modules(service.providers.__path__)
    )
    return {module.PROVIDER.name: module.PROVIDER for module in modules if hasattr(module, "PROVIDER")}
