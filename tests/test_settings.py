"""The configuration as a whole: every key is read, and every fault stops the start."""

import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
import pytest
from msgspec import Struct

from service.config.secret import Secret
from service.providers.registry import discover
from service.settings import ConfigurationError, Sections, load_settings
from tests.support.example import SECRETS, write_example
from tests.support.loading import MINIMAL, faults, load


def test_every_key_is_read(tmp_path: Path) -> None:
    """A file with every key of every provider has no fault."""
    loaded = load_settings(write_example(tmp_path))

    assert {"acme", "legacy", "games"} == set(loaded.settings.upstreams)
    assert {"default", "old", "games"} == set(loaded.settings.checkouts)
    assert 5 == loaded.settings.upstreams["acme"].read_timeout
    assert Secret("hush-file-password") == loaded.settings.upstreams["acme"].credentials[1].password  # type: ignore[attr-defined]  # a provider's own
    assert [tmp_path / "jwks.json", tmp_path / "password"] == sorted(loaded.secret_files)


def note_keys(kind: Any, value: Any, given: dict[type[Struct], set[str]]) -> None:  # noqa: ANN401  # types, and TOML
    """Which keys of which struct a document has."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        given[kind].update(value)
        for field in msgspec.structs.fields(kind):
            if field.name in value:
                note_keys(field.type, value[field.name], given)
        return
    items = value if get_origin(kind) is tuple else value.values() if get_origin(kind) is dict else [value]
    for inner in get_args(kind):
        for item in items:
            note_keys(inner, item, given)


def test_the_example_leaves_no_key_out(tmp_path: Path) -> None:
    """The test above is worth its name: every field of every struct stands in its file."""
    document = tomllib.loads(Path(write_example(tmp_path)["CHECKOUT_CONFIG"]).read_text())
    given: dict[type[Struct], set[str]] = defaultdict(set)
    note_keys(Sections, document, given)
    for upstream in document["upstreams"].values():
        note_keys(discover()[upstream["provider"]].upstream_settings, document["upstreams"]["acme"] | upstream, given)
    for checkout in document["checkouts"].values():
        module = discover()[document["upstreams"][checkout["upstream"]]["provider"]]
        note_keys(module.checkout_settings, document["checkouts"]["default"] | checkout, given)

    assert {} == {kind: left for kind, keys in given.items() if (left := set(kind.__struct_fields__) - keys)}


def test_a_minimal_file_suffices(tmp_path: Path) -> None:
    """One upstream and one checkout; nothing is warned about but the one listener."""
    loaded = load(tmp_path, MINIMAL)

    assert ["server.internal_port"] == [note.path for note in loaded.warnings]
    assert () == loaded.inert


def test_internal_port(tmp_path: Path) -> None:
    """It has its effect, and takes the warning about the one listener away."""
    loaded = load(tmp_path, f"[server]\ninternal_port = 8001\n{MINIMAL}")

    assert 8001 == loaded.settings.server.internal_port
    assert ((), ()) == (loaded.warnings, loaded.inert)


@pytest.mark.parametrize(("port", "variable"), [(8001, ""), (8000, "8001")])
def test_internal_port_is_another_one(tmp_path: Path, port: int, variable: str) -> None:
    """One port cannot be both, also when the environment names the public one."""
    toml = f"[server]\nport = {port}\ninternal_port = 8001\n{MINIMAL}"

    assert ["server.internal_port: is the public port: name another one"] == faults(
        tmp_path, toml, CHECKOUT_PORT=variable
    )


def test_missing_file(tmp_path: Path) -> None:
    """The one fault names the file and the two ways out."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings({"CHECKOUT_CONFIG": str(tmp_path / "gone.toml")})

    mend = "name the file in CHECKOUT_CONFIG, or try `python -m service demo`, which needs none"
    assert f"{tmp_path / 'gone.toml'}: cannot be read (No such file or directory): {mend}" == str(caught.value)


def test_the_default_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without CHECKOUT_CONFIG it is checkout.toml in the working directory."""
    (tmp_path / "checkout.toml").write_text(MINIMAL)
    monkeypatch.chdir(tmp_path)

    assert ["default"] == list(load_settings(SECRETS).settings.checkouts)
    assert ["default"] == list(load_settings({**SECRETS, "CHECKOUT_CONFIG": ""}).settings.checkouts)


@pytest.mark.parametrize("toml", ["[server\n", "a = 1\na = 2\n", f"a = {'9' * 5000}", "a = " + "[" * 5000, "\udcff"])
def test_no_toml(tmp_path: Path, toml: str) -> None:
    """What is no TOML is said to be none, in one line."""
    file = tmp_path / "checkout.toml"
    file.write_bytes(toml.encode(errors="surrogateescape"))
    with pytest.raises(ConfigurationError) as caught:
        load_settings({"CHECKOUT_CONFIG": str(file)})

    assert 1 == len(str(caught.value).splitlines())
    assert str(caught.value).startswith(f"{file}: is not TOML: ")


def test_an_empty_file(tmp_path: Path) -> None:
    """Both tables that it takes are asked for at once."""
    assert [
        "checkouts: at least one is required, for example [checkouts.default]",
        "upstreams: at least one is required, for example [upstreams.default]",
    ] == faults(tmp_path, "")


def test_all_faults_of_a_file_at_once(tmp_path: Path) -> None:
    """Faults in every part of the file are reported together, one line each, whatever else is wrong beside them."""
    toml = """
    sever = {}
    [server]
    port = "x"
    internal_port = 70000
    trusted_proxies = ["10.0.0.1/8", "2001:db8::/32", "nonsense"]
    trusted_headers = ["X_Release"]
    [store]
    url = "redis://localhost"
    password = { env = "MISSING" }
    hash_key = { env = "FS_USER" }
    [upstreams.acme]
    provider = "fastspring_v2"
    base_url = "http://api.fastspring.com"
    credentials = [{ username = "plain", password = { env = "FS_PASSWORD" } }]
    [upstreams.other]
    provider = "fastspring_v3"
    conect_timeout = 1.0
    max_attempts = 9
    [checkouts.default]
    upstream = "acme"
    path = "acme"
    live = true
    allowed_origins = ["*", "https://shop.example/", "https://Shop.example"]
    [checkouts.default.order_tags]
    release = "{header:X-Release}"
    place = "{somewhere}"
    [checkouts.second]
    upstream = "nobody"
    live = 1
    max_itmes = 3
    [callers.a]
    key_sha256 = ["abc"]
    checkouts = ["default", "third"]
    """

    assert [
        "callers.a.checkouts",
        "callers.a.key_sha256[0]",
        "checkouts.default.allowed_origins[0]",
        "checkouts.default.allowed_origins[1]",
        "checkouts.default.allowed_origins[2]",
        "checkouts.default.order_tags.place",
        "checkouts.default.order_tags.release",
        "checkouts.default.path",
        "checkouts.second.live",
        "checkouts.second.max_itmes",
        "checkouts.second.upstream",
        "server.internal_port",
        "server.port",
        "server.trusted_headers[0]",
        "server.trusted_proxies[0]",
        "server.trusted_proxies[2]",
        "sever",
        "store.hash_key",
        "store.password",
        "store.seal_keys",
        "upstreams.acme.base_url",
        "upstreams.acme.credentials[0].username",
        "upstreams.other.conect_timeout",
        "upstreams.other.max_attempts",
        "upstreams.other.provider",
    ] == [fault.split(":")[0] for fault in faults(tmp_path, toml)]


def test_what_is_no_table(tmp_path: Path) -> None:
    """A value where a table belongs is a fault, not nothing."""
    toml = MINIMAL.replace("[upstreams.acme]", "server = 3\n[upstreams]\nother = 3\n[upstreams.acme]")

    assert [
        "server: must be a table, for example [server]",
        "upstreams.other: must be a table, for example [upstreams.other]",
    ] == faults(tmp_path, toml, CHECKOUT_PORT="80")


def test_names_of_upstreams_and_checkouts(tmp_path: Path) -> None:
    """A name that no URL, metric or environment could carry is refused, its path in quotes."""
    toml = MINIMAL.replace("[checkouts.default]", '[checkouts."a b"]')

    assert ['checkouts."a b": must look like "default"'] == faults(tmp_path, toml)


def test_dotted_names(tmp_path: Path) -> None:
    """A name with a dot is a name; its path says so."""
    settings = load(tmp_path, MINIMAL.replace("[checkouts.default]", '[checkouts."eu.shop"]')).settings
    toml = MINIMAL.replace("[checkouts.default]", '[checkouts."eu.shop"]\nmax_items = 0')

    assert ["eu.shop"] == list(settings.checkouts)
    assert ['checkouts."eu.shop".max_items: expected `int` >= 1'] == faults(tmp_path, toml)


def test_unknown_provider(tmp_path: Path) -> None:
    """The providers that there are stand in the fault."""
    fault = f"upstreams.acme.provider: is required, and one of: {', '.join(sorted(discover()))}"
    assert [fault] == faults(tmp_path, MINIMAL.replace("fastspring_v2", "stripe"))


@pytest.mark.parametrize(
    ("checkout", "key"),
    [
        ('upstream = "old"\nstorefront = "a.onfastspring.com"\nlive = true\nverify_after_seconds = 1', "verify_after"),
        ('upstream = "old"\nstorefront = "a.onfastspring.com"\nlive = true\npayment_methods = []', "payment_methods"),
        ('upstream = "games"\nstore_id = "1"\nlive = true\nlock_quantity = true', "lock_quantity"),
        ('upstream = "games"\nstore_id = "1"\nlive = true\nattributes = []', "attributes"),
        ('upstream = "games"\nstore_id = "1"\nlive = true\npath = "a/b"', "path"),
        ('upstream = "old"\nstorefront = "a.onfastspring.com"\nlive = true\nmode = "management"', "mode"),
        ('upstream = "games"\nstore_id = "1"\nlive = false', "live"),
    ],
)
def test_keys_that_a_provider_has_no_use_for(tmp_path: Path, checkout: str, key: str) -> None:
    """A key that would have no effect with this provider is an error, not a silence."""
    toml = f"""
    [upstreams.old]
    provider = "fastspring_v1"
    credentials = [{{ username = {{ env = "FS_USER" }}, password = {{ env = "FS_PASSWORD" }} }}]
    [upstreams.games]
    provider = "paynow_gg"
    credentials = [{{ api_key = {{ env = "PAYNOW_KEY" }} }}]
    [checkouts.x]
    {checkout}
    """
    (fault,) = faults(tmp_path, toml)

    assert fault.startswith(f"checkouts.x.{key}")


def test_environment_overrides_the_file(tmp_path: Path) -> None:
    """The four variables win over the file, and over its silence; an empty one counts as unset."""
    environ = {
        "CHECKOUT_HOST": "0.0.0.0",  # noqa: S104  # read, not bound
        "CHECKOUT_PORT": "9000",
        "CHECKOUT_WORKERS": "4",
        "CHECKOUT_STORE_URL": "redis://localhost",
    }
    toml = (
        '[server]\nport = 1\nworkers = 2\n[store]\nseal_keys = [{env = "SEAL_KEY"}]\nhash_key = {env = "HASH_KEY"}'
        + MINIMAL
    )
    server = load(tmp_path, toml, **environ).settings.server
    untouched = load(tmp_path, toml, **dict.fromkeys(environ, "")).settings

    assert ("0.0.0.0", 9000, 4) == (server.host, server.port, server.workers)  # noqa: S104  # as above
    assert "redis://localhost" == load(tmp_path, toml, **environ).settings.store.url
    assert (1, 2, "embedded://") == (untouched.server.port, untouched.server.workers, untouched.store.url)
    assert 9000 == load(tmp_path, MINIMAL, **{**environ, "CHECKOUT_STORE_URL": ""}).settings.server.port


@pytest.mark.parametrize(
    ("variable", "value", "key"),
    [
        ("CHECKOUT_PORT", "http", "server.port"),
        ("CHECKOUT_PORT", "-1", "server.port"),
        ("CHECKOUT_PORT", "0", "server.port"),
        ("CHECKOUT_PORT", "70000", "server.port"),
        ("CHECKOUT_PORT", "8" * 5000, "server.port"),
        ("CHECKOUT_PORT", "٨٠", "server.port"),
        ("CHECKOUT_WORKERS", "0", "server.workers"),
        ("CHECKOUT_WORKERS", "1.5", "server.workers"),
        ("CHECKOUT_STORE_URL", "localhost:6379", "store.url"),
    ],
)
def test_bad_environment(tmp_path: Path, variable: str, value: str, key: str) -> None:
    """A bad value is a fault that names key and variable."""
    (fault,) = faults(tmp_path, MINIMAL, **{variable: value})

    assert fault.startswith(f"{key}: ")
    assert fault.endswith(f"(set by the environment variable {variable})")


def test_bad_log_style(tmp_path: Path) -> None:
    """Log lines come as json or console."""
    assert ["the environment variable CHECKOUT_LOG must be json or console"] == faults(
        tmp_path, MINIMAL, CHECKOUT_LOG="xml"
    )
    assert "default" in load(tmp_path, MINIMAL, CHECKOUT_LOG="console").settings.checkouts


def test_no_plain_text_secret_shows(tmp_path: Path) -> None:
    """A secret that stands in the file, or in the store's URL, is refused and not repeated."""
    toml = '[store]\nurl = "redis://me:hunter2@localhost"\npassword = "hunter2"\n' + MINIMAL
    told = "\n".join(faults(tmp_path, toml))

    assert "store.url: holds credentials" in told
    assert "store.password: must be a reference" in told
    assert "hunter2" not in told
