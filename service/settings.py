"""File and environment → one frozen `Settings`, composed of the parts' own structs. Only `app.py` reads the whole."""

import re
import resource
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from msgspec import Struct

from service.api.settings import CallerSettings, JwtSettings, ServerSettings
from service.challenge import ChallengeSettings
from service.checkout.limits import LimitsSettings
from service.checkout.quotes.settings import QuotesSettings
from service.checkout.settings import CheckoutSettings
from service.config.reader import Note, Reader, join
from service.config.types import LATER, Name
from service.names import check_names, tables
from service.providers.base import UpstreamSettings
from service.providers.registry import Module, discover, provider
from service.store.settings import StoreSettings
from service.upcoming import OutgoingSettings

_ENOUGH_DESCRIPTORS = 4096


class Sections(Struct, frozen=True, kw_only=True):
    """The tables whose shape does not depend on a provider."""

    server: ServerSettings = ServerSettings()
    store: StoreSettings = StoreSettings()
    callers: dict[Name, CallerSettings] = {}
    quotes: QuotesSettings | None = None
    limits: LimitsSettings = LimitsSettings()
    challenge: ChallengeSettings | None = None
    jwt: JwtSettings | None = None
    outgoing: Annotated[tuple[OutgoingSettings, ...], LATER] = ()


class Settings(Sections, frozen=True, kw_only=True):
    """The whole configuration, valid and complete."""

    upstreams: dict[str, UpstreamSettings]
    checkouts: dict[str, CheckoutSettings]

    def module_of(self, checkout: str) -> Module:
        """The provider module behind a checkout."""
        name = self.upstreams[self.checkouts[checkout].upstream].provider
        module = provider(name)
        if module is None:  # reading the file refuses this before
            raise LookupError(name)
        return module


class Loaded(Struct, frozen=True, kw_only=True):
    """Settings with what was noticed on the way: warnings, keys without an effect yet, and the files that it names."""

    settings: Settings
    warnings: tuple[Note, ...]
    inert: tuple[str, ...]
    secret_files: tuple[Path, ...]


class ConfigurationError(Exception):
    """The configuration cannot be used; `notes` are all of its faults, each with its key path and the mend."""

    def __init__(self, file: Path, notes: list[Note], secret_files: Iterable[Path] = ()) -> None:
        super().__init__(f"{len(notes)} faults in {file}")
        self.file = file
        self.notes = sorted(set(notes))
        self.secret_files = tuple(secret_files)

    def __str__(self) -> str:
        return "\n".join(f"{self.file}: {note}" for note in self.notes)


def config_file(environ: Mapping[str, str]) -> Path:
    """Where the configuration stands."""
    return Path(environ.get("CHECKOUT_CONFIG") or "checkout.toml")


def load_settings(environ: Mapping[str, str]) -> Loaded:
    """Read the file and follow its secrets.

    Raises:
        ConfigurationError: everything that is wrong, at once.
    """
    file = config_file(environ)
    document = _read_document(file)
    reader = Reader(environ)
    _apply_environment(document, environ, reader)
    sections = reader.struct(Sections, document, "", skip=frozenset({"upstreams", "checkouts"}))
    upstreams = _read_upstreams(reader, document)
    checkouts = _read_checkouts(reader, document)
    check_names(reader, document)
    if reader.faults or sections is None:
        raise ConfigurationError(file, reader.faults, reader.secret_files)
    values = {name: getattr(sections, name) for name in Sections.__struct_fields__}
    settings = Settings(**values, upstreams=upstreams, checkouts=checkouts)
    return Loaded(
        settings=settings,
        warnings=(*reader.warnings, *_advice(settings)),
        inert=tuple(sorted(reader.inert)),
        secret_files=tuple(reader.secret_files),
    )


def _read_document(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        mend = "name the file in CHECKOUT_CONFIG, or try `python -m service demo`, which needs none"
        raise ConfigurationError(file, [Note("", f"cannot be read ({error.strerror}): {mend}")]) from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(file, [Note("", f"is not TOML: {error}")]) from error


_ENVIRONMENT = {
    "CHECKOUT_HOST": ("server", "host"),
    "CHECKOUT_PORT": ("server", "port"),
    "CHECKOUT_WORKERS": ("server", "workers"),
    "CHECKOUT_STORE_URL": ("store", "url"),
}


def _apply_environment(document: dict[str, object], environ: Mapping[str, str], reader: Reader) -> None:
    for variable, (section, key) in _ENVIRONMENT.items():
        text = environ.get(variable)
        table = document.setdefault(section, {})
        if not text or not isinstance(table, dict):
            continue
        reader.overrides[f"{section}.{key}"] = variable
        is_number = key in {"port", "workers"} and re.fullmatch(r"[0-9]{1,9}", text)
        table[key] = int(text) if is_number else text
    if environ.get("CHECKOUT_LOG") not in _LOG_STYLES:
        reader.fault("", "the environment variable CHECKOUT_LOG must be json or console")


_LOG_STYLES = frozenset({None, "", "json", "console"})


def _read_upstreams(reader: Reader, document: dict[str, object]) -> dict[str, UpstreamSettings]:
    upstreams: dict[str, UpstreamSettings] = {}
    for name, table in _named_tables(reader, document, "upstreams").items():
        path, module = join("upstreams", name), _module(table)
        if module is None:
            reader.fault(f"{path}.provider", f"is required, and one of: {', '.join(sorted(discover()))}")
            reader.struct(UpstreamSettings, table, path, skip=_keys_of_any_upstream())
        elif upstream := reader.struct(module.upstream_settings, table, path):
            upstreams[name] = upstream
    return upstreams


def _read_checkouts(reader: Reader, document: dict[str, object]) -> dict[str, CheckoutSettings]:
    upstreams = tables(document, "upstreams")
    checkouts: dict[str, CheckoutSettings] = {}
    for name, table in _named_tables(reader, document, "checkouts").items():
        path, upstream = join("checkouts", name), table.get("upstream")
        if not isinstance(upstream, str) or upstream not in upstreams:
            reader.fault(f"{path}.upstream", f"must name one of your [upstreams]: {', '.join(upstreams) or 'none yet'}")
        module = _module(upstreams.get(str(upstream), {}))
        if module is None:
            reader.struct(CheckoutSettings, table, path, skip=_keys_of_any_checkout())
            continue
        for key in sorted(module.no_use_for & table.keys()):
            reader.fault(f"{path}.{key}", f"{module.name} has no use for it: remove it")
        if checkout := reader.struct(module.checkout_settings, table, path):
            checkouts[name] = checkout
    return checkouts


# Where the provider is unknown, what is common to all is checked all the same.
def _keys_of_any_upstream() -> frozenset[str]:
    return frozenset(key for one in discover().values() for key in one.upstream_settings.__struct_fields__)


def _keys_of_any_checkout() -> frozenset[str]:
    return frozenset(key for one in discover().values() for key in one.checkout_settings.__struct_fields__)


def _named_tables(reader: Reader, document: dict[str, object], section: str) -> dict[str, dict[str, object]]:
    named = document.get(section)
    if not isinstance(named, dict) or not named:
        reader.fault(section, f"at least one is required, for example [{section}.default]")
        return {}
    for name, table in named.items():
        path = join(section, name)
        reader.value(Name, name, path)
        if not isinstance(table, dict):
            reader.fault(path, f"must be a table, for example [{path}]")
    return tables(document, section)


def _module(table: Mapping[str, object]) -> Module | None:
    return provider(str(table.get("provider")))


def _advice(settings: Settings) -> list[Note]:
    return [
        *_advice_on_server(settings.server),
        *_advice_on_upstreams(settings),
        *_advice_on_checkouts(settings),
        *_advice_on_quotes(settings),
    ]


def _advice_on_server(server: ServerSettings) -> Iterator[Note]:
    if server.internal_port is None:
        text = "one listener for all: let your proxy publish /checkout, /checkout.js and /problems, nothing else"
        yield Note("server.internal_port", text)
    for index, network in enumerate(server.trusted_proxies):
        if ip_network(network).prefixlen == 0:
            text = "trusts everybody, so every client can claim any address: name your proxies"
            yield Note(f"server.trusted_proxies[{index}]", text)
    _, descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= descriptors < _ENOUGH_DESCRIPTORS:
        text = f"the system allows {descriptors} open files, so few connections: raise the hard limit (`ulimit -Hn`)"
        yield Note("server", text)
    for key in ("country_header", "trusted_headers"):
        if getattr(server, key) and not server.trusted_proxies:
            yield Note(f"server.{key}", "has no effect without trusted_proxies: name your proxies")


_FEW_CALLS = 40  # a new session takes up to four


def _advice_on_upstreams(settings: Settings) -> Iterator[Note]:
    from_browsers = {checkout.upstream for checkout in settings.checkouts.values() if checkout.allowed_origins}
    for name, upstream in settings.upstreams.items():
        path = f"{join('upstreams', name)}.rate_limit_per_minute"
        if upstream.rate_limit_per_minute and name in from_browsers and settings.challenge is None:
            yield Note(path, "strangers can use it up, which stops every checkout: add a [challenge]")
        if 0 < upstream.rate_limit_per_minute < _FEW_CALLS:
            yield Note(path, f"an address has a tenth of it, which is hardly a session: {_FEW_CALLS} or more, or 0")
    unused = settings.upstreams.keys() - {checkout.upstream for checkout in settings.checkouts.values()}
    yield from (Note(join("upstreams", name), "no checkout uses it") for name in sorted(unused))


def _advice_on_checkouts(settings: Settings) -> Iterator[Note]:
    for name, checkout in settings.checkouts.items():
        path, module = join("checkouts", name), settings.module_of(name)
        for key, text in module.advice(checkout):
            yield Note(f"{path}.{key}", text)
        for index, origin in enumerate(checkout.allowed_origins):
            if re.fullmatch(r"https:.*:443|http:.*:80", origin):
                text = "browsers leave the usual port out of their origin, so this one never matches: drop it"
                yield Note(f"{path}.allowed_origins[{index}]", text)


def _advice_on_quotes(settings: Settings) -> Iterator[Note]:
    for kid, key in settings.quotes.keys.items() if settings.quotes else ():
        if key.caller and "quotes:create" not in settings.callers[key.caller].scopes:
            path = f"{join('quotes.keys', kid)}.caller"
            yield Note(
                path, f"its quotes are refused until [{join('callers', key.caller)}] has the scope quotes:create"
            )
