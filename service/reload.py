"""Takes a changed configuration into force without a restart and without dropping a request.

The file and every secret file are looked at twice a second by content, which also notices the symbolic links that
Kubernetes swaps. An invalid change is refused with its reasons, and what was in force stays.
"""

import asyncio
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

import structlog
from msgspec import Struct
from msgspec.structs import replace

from service.config.reader import Note
from service.observability import metrics
from service.observability.logging import reporting
from service.settings import ConfigurationError, Loaded, Settings, config_file, load_settings

_LOOK_EVERY_SECONDS = 0.5
log = structlog.get_logger()

PutIntoForce = Callable[[Settings], None]


class Watcher:
    """Watches what a loaded configuration was made of."""

    def __init__(self, environ: Mapping[str, str], loaded: Loaded) -> None:
        self._environ = environ
        self._in_force = loaded.settings
        self._secret_files = loaded.secret_files
        self._outcome: Loaded | list[Note] = loaded
        self._seen: dict[Path, bytes] = {}

    async def watch(self, put_into_force: PutIntoForce) -> None:
        """Put every valid change into force; runs until it is cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            with reporting("config.reload_failed", go_on=True):  # one bad change must not end the watching
                await self.look(put_into_force)

    async def look(self, put_into_force: PutIntoForce) -> None:
        """Look once: nothing happens as long as no file has changed, also after a refusal.

        A load can find secret files that were not looked at before it. Then the next look loads once more, in case one
        of them changed in between.
        """
        digests = await asyncio.to_thread(self._digests)
        if digests == self._seen:
            return
        self._seen = digests
        settings = await asyncio.to_thread(self._load)
        if settings is not None:
            put_into_force(settings)
            metrics.CONFIG_RELOADS.labels("applied").inc()
            log.info("config.reloaded", checkouts=sorted(settings.checkouts))

    def _load(self) -> Settings | None:
        """The settings to put into force, with what needs a restart as it was; None when there are no other ones."""
        before, self._outcome = self._outcome, self._outcome_of_load()
        if self._outcome == before:
            return None
        if isinstance(self._outcome, list):
            metrics.CONFIG_RELOADS.labels("refused").inc()
            log.warning("config.refused", faults=[str(note) for note in self._outcome])
            return None
        log_advice(self._outcome)
        self._in_force = _without_restart(self._in_force, self._outcome.settings)
        return self._in_force

    def _outcome_of_load(self) -> Loaded | list[Note]:
        """What the files hold now, or all that is wrong with them."""
        try:
            loaded = load_settings(self._environ)
        except ConfigurationError as error:
            # A refused file may name new secret files: once they are mended, it shall be looked at again.
            self._secret_files = tuple({*self._secret_files, *error.secret_files})
            return error.notes
        self._secret_files = loaded.secret_files
        return loaded

    def _digests(self) -> dict[Path, bytes]:
        """What changes with the content and the rights of each file."""
        return {file: _digest(file) for file in (config_file(self._environ), *self._secret_files)}


def _digest(file: Path) -> bytes:
    try:
        return b"%d %b" % (file.stat().st_mode, sha256(file.read_bytes()).digest())
    except (OSError, ValueError):
        return b""


def log_advice(loaded: Loaded) -> None:
    """What `check` would warn about, for whoever only reads the log."""
    for note in loaded.warnings:
        log.warning("config.warning", path=note.path, advice=note.text)
    if loaded.inert:
        log.warning("config.no_effect_yet", keys=list(loaded.inert))


def _without_restart(before: Settings, after: Settings) -> Settings:
    """The new settings, but for those that only a restart brings into force; the log names them.

    With another `store.url` the whole of `[store]` waits, as its keys and credentials belong to that address.
    """
    waiting = [f"server.{key}" for key in _changed_fields(before.server, after.server)]
    store = after.store
    if before.store.url != after.store.url:
        waiting.append("store.url")
        store = before.store
    if waiting:
        log.warning("config.needs_restart", unchanged=waiting)
    return replace(after, server=before.server, store=store)


def _changed_fields(before: Struct, after: Struct) -> list[str]:
    """The names of the fields that differ."""
    return [name for name in before.__struct_fields__ if getattr(before, name) != getattr(after, name)]
