"""The registry finds what stands in the package, and nothing else."""

from pathlib import Path

import pytest

import service.providers
from service.providers.base import ProviderModule
from service.providers.registry import discover, provider


def test_every_module_with_a_provider_is_found() -> None:
    """A module is a provider by its `PROVIDER`, under its own name."""
    folder = Path(service.providers.__path__[0])
    named = {
        path.parent.name if path.stem == "__init__" else path.stem
        for path in (*folder.glob("*.py"), *folder.glob("*/__init__.py"))
        if "\nPROVIDER = " in path.read_text()
    }

    assert named == discover().keys()
    assert all(name == module.name for name, module in discover().items())


@pytest.mark.parametrize("name", ["http", "registry", "none", "", "None", "fastspring_v2.adapter", "..config", "os"])
def test_other_names_are_no_providers(name: str) -> None:
    """Helpers beside the providers are none, and what is not in the package is not looked for."""
    assert None is provider(name)


def test_modules_are_complete() -> None:
    """Each has settings of its own and names only keys that every checkout has as useless."""
    for module in discover().values():
        assert isinstance(module, ProviderModule)
        assert module.no_use_for <= set(module.checkout_settings.__struct_fields__)
        assert "credentials" in module.upstream_settings.__struct_fields__
