"""A minimal configuration, and how its variations read: by the way that the service takes."""

from pathlib import Path

import pytest

from service.settings import ConfigurationError, Loaded, load_settings
from tests.support.example import SECRETS

MINIMAL = """
[upstreams.acme]
provider = "fastspring_v2"
credentials = [{ username = { env = "FS_USER" }, password = { env = "FS_PASSWORD" } }]

[checkouts.default]
upstream = "acme"
path = "acme/popup-checkout"
live = true
"""


def load(folder: Path, toml: str, **environ: str) -> Loaded:
    """A configuration text, read with all secrets of the example at hand."""
    file = folder / "checkout.toml"
    file.write_text(toml)
    return load_settings({"CHECKOUT_CONFIG": str(file), **SECRETS, **environ})


def faults(folder: Path, toml: str, **environ: str) -> list[str]:
    """The faults of a configuration text, without the file's name."""
    with pytest.raises(ConfigurationError) as caught:
        load(folder, toml, **environ)
    return [line.removeprefix(f"{folder / 'checkout.toml'}: ") for line in str(caught.value).splitlines()]
