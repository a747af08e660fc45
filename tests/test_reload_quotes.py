"""Quote keys are rotated in a running service, and nobody who carries a quote notices."""

from functools import partial
from hashlib import sha256
from pathlib import Path

import httpx

from tests.support.config import default_toml
from tests.support.patience import wait_until
from tests.support.quotes import PRIVATE
from tests.support.servers import Sandbox
from tests.support.services import service

SECRET = "the secret of the first key, which is long enough"
WANTED = {"order": {"items": [{"product": "pro-license"}]}, "expiresIn": 900, "once": False}
CALLER = """
[callers.signer]
key_sha256 = ["{digest}"]
scopes = ["quotes:create"]
"""
OLD = '[quotes.keys.old]\nsecret = {{ file = "{folder}/old" }}\n'
NEW = '[quotes.keys.new]\nalgorithm = "EdDSA"\nprivate_key = {{ file = "{folder}/new" }}\n'
STEPS = {
    "old alone": '[quotes]\nsign_with = "old"\n' + OLD,
    "both, the old one signs": '[quotes]\nsign_with = "old"\n' + OLD + NEW,
    "both, the new one signs": '[quotes]\nsign_with = "new"\n' + OLD + NEW,
    "new alone": '[quotes]\nsign_with = "new"\n' + NEW,
}


def test_rotation_without_a_refusal(sandbox: Sandbox, tmp_path: Path) -> None:
    """At each step of a rotation the quotes of that step and the one before are taken; the old key's only then not."""
    for name, secret in (("old", SECRET), ("new", PRIVATE)):
        (tmp_path / name).write_text(secret)
        (tmp_path / name).chmod(0o600)
    file = tmp_path / "checkout.toml"
    usual = default_toml(sandbox.url) + CALLER.format(digest=sha256(b"signer").hexdigest())
    versions = [usual + step.format(folder=tmp_path) for step in STEPS.values()]
    file.write_text(versions[0])
    with service(file, Path("/tmp")) as running:

        def signed() -> str:
            headers = {"Authorization": "Bearer signer"}
            answer = httpx.post(f"{running.url}/internal/quotes", json=WANTED, headers=headers, trust_env=False)
            return str(answer.raise_for_status().json()["quote"])

        def used(quote: str) -> int:
            return httpx.post(f"{running.url}/checkout", json={"quote": quote}, trust_env=False, timeout=20).status_code

        def was_reloaded(times: int) -> bool:
            return times == len(running.running.named("config.reloaded"))

        quotes, statuses = [signed()], []
        for count, version in enumerate(versions[1:], start=1):
            file.write_text(version)
            wait_until(partial(was_reloaded, count), "the reload")
            quotes.append(signed())
            statuses.append([used(quote) for quote in quotes[-2:]])
        refused = [used(quote) for quote in quotes[:2]]

    assert [[201, 201]] * 3 == statuses
    assert [403, 403] == refused
