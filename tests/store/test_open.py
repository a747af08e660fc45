"""From `[store]` to an open session store, with the keys that belong to it."""

import base64
from datetime import timedelta

import pytest

from service.checkout.session import Session
from service.config.secret import Secret
from service.store.embedded import EmbeddedStore, keys_of
from service.store.open import open_store
from service.store.settings import StoreSettings

SEAL, HASH = b"s" * 32, b"h" * 32
CONFIGURED = StoreSettings(
    key_prefix="open-kept",
    seal_keys=(Secret(base64.b64encode(SEAL).decode()),),
    hash_key=Secret(base64.b64encode(HASH).decode()),
)


async def test_bundled_with_its_own_keys(store: EmbeddedStore, session: Session) -> None:
    """Every process of a service opens what another one sealed, with the keys of the start."""
    settings = StoreSettings(key_prefix="open-own")
    one, other = open_store(settings, store.directory), open_store(settings, store.directory)
    await one.sessions.save(session, reusable_for=timedelta(hours=1))

    assert session == await other.sessions.find(session.reference)
    assert [keys_of(store.directory)[1]] * 2 == [one.hash_key, other.hash_key]
    for each in (one, other):
        await each.close()


async def test_bundled_with_configured_keys(store: EmbeddedStore, session: Session) -> None:
    """Configured keys are used instead, so that what is kept can be opened after a restart."""
    configured = open_store(CONFIGURED, store.directory)
    own = open_store(StoreSettings(key_prefix=CONFIGURED.key_prefix), store.directory)
    await configured.sessions.save(session, reusable_for=timedelta(hours=1))

    assert session == await configured.sessions.find(session.reference)
    assert None is await own.sessions.find(session.reference)
    assert HASH == configured.hash_key
    for each in (configured, own):
        await each.close()


def test_no_keys() -> None:
    """Nothing is ever kept unsealed, whatever the settings' rules let pass."""
    with pytest.raises(ValueError, match="are required"):
        open_store(StoreSettings(url="redis://localhost"), None)
