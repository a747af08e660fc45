"""`doctor`: does what the configuration names answer? Asks the store and every provider, and changes nothing."""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from ipaddress import ip_network
from typing import cast

from msgspec import Struct

from service.checkout.errors import ProviderError
from service.checkout.ports import UpstreamRequest
from service.commands import load_or_exit
from service.providers.base import UpstreamSettings
from service.providers.calls import Calls, Limits
from service.providers.http import UpstreamAnswer, UpstreamClient
from service.providers.transport import create_transport
from service.resources import create_client
from service.settings import Settings
from service.store.address import parse_address
from service.store.connection import create_client as create_store_client
from service.store.question import STORE_ERRORS, Client, Question, Value

_STORE_SECONDS = 3.0
_TIME = "return redis.call('TIME')"
_CLOCK_SECONDS = 30.0


class Finding(Struct, frozen=True, kw_only=True):
    """What was looked at, and whether it is well."""

    subject: str
    is_well: bool
    text: str

    def __str__(self) -> str:
        return f"{'ok' if self.is_well else 'BAD':<4} {self.subject:<40} {self.text}"


def doctor(environ: Mapping[str, str]) -> int:
    """Print a line for each finding. Status 0; 1 when one is bad; 2 when the configuration is invalid."""
    findings = asyncio.run(examine(load_or_exit(environ).settings))
    sys.stdout.write("".join(f"{finding}\n" for finding in findings))
    return 0 if all(finding.is_well for finding in findings) else 1


async def examine(settings: Settings) -> list[Finding]:
    """Everything that can be asked, at once."""
    groups = await asyncio.gather(_store(settings), *(_upstream(name, settings) for name in settings.upstreams))
    return [*(finding for group in groups for finding in group), _proxies(settings)]


async def _store(settings: Settings) -> list[Finding]:
    address = parse_address(settings.store.url)
    if address.scheme == "embedded":
        return [Finding(subject="store", is_well=True, text="the bundled one, which `serve` starts")]
    client = create_store_client(settings.store)
    try:
        return [finding async for finding in _store_findings(client, f"{settings.store.key_prefix}:doctor")]
    except (*STORE_ERRORS, TimeoutError) as error:
        text = f"cannot be used ({type(error).__name__}): check store.url, its credentials and its certificates"
        return [Finding(subject="store", is_well=False, text=text)]
    finally:
        await client.close()


async def _store_findings(client: Client, key: str) -> AsyncGenerator[Finding]:
    await _ask(client, "GET", key)  # connects
    started = time.perf_counter()
    await _ask(client, "GET", key)
    text = f"answers in {1000 * (time.perf_counter() - started):.1f} ms"
    yield Finding(subject="store", is_well=True, text=text)
    seconds, microseconds = cast("list[bytes]", await _ask(client, "EVAL", _TIME, 1, key))
    yield _clock("store", datetime.fromtimestamp(int(seconds) + int(microseconds) / 1e6, UTC))
    yield Finding(subject="store scripts", is_well=True, text="may be run")


async def _ask(client: Client, *command: Value) -> object:
    question = Question(command, asyncio.get_running_loop().create_future())
    client.send([question])
    async with asyncio.timeout(_STORE_SECONDS):
        return await question.answer


async def _upstream(name: str, settings: Settings) -> list[Finding]:
    """Every credential generation, with the first checkout that uses the upstream."""
    subject, upstream = f"upstream {name}", settings.upstreams[name]
    checkout = next((key for key, one in settings.checkouts.items() if one.upstream == name), None)
    if checkout is None:
        return [Finding(subject=subject, is_well=True, text="no checkout uses it: not asked")]
    probe = settings.module_of(checkout).probe
    if probe is None:
        return [Finding(subject=subject, is_well=True, text="its provider has no call that would change nothing")]
    request = probe(settings.checkouts[checkout])
    generations = upstream.authorizations()
    findings: list[Finding] = []
    for index, authorization in enumerate(generations):
        findings += await _credentials(f"{subject} credentials[{index}]", upstream, authorization, request)
    return findings


async def _credentials(
    subject: str, upstream: UpstreamSettings, authorization: str, request: UpstreamRequest
) -> list[Finding]:
    try:
        async with _client(upstream, authorization) as client:
            answer = await client.send(request)
            if answer.status != HTTPStatus.OK:
                raise client.refusal(request, answer)
    except ProviderError as error:
        return [Finding(subject=subject, is_well=False, text=f"{error.detail} ({error.slug})")]
    return [Finding(subject=subject, is_well=True, text="accepted"), *_providers_clock(subject, answer)]


@asynccontextmanager
async def _client(upstream: UpstreamSettings, authorization: str) -> AsyncGenerator[UpstreamClient]:
    client = create_client(upstream, (authorization,), Calls("doctor", Limits(max_attempts=1)), create_transport(1))
    try:
        yield client
    finally:
        await client.close()


def _providers_clock(subject: str, answer: UpstreamAnswer) -> Iterator[Finding]:
    try:
        yield _clock(subject, parsedate_to_datetime(answer.date or "").astimezone(UTC))
    except ValueError:
        return


def _clock(subject: str, theirs: datetime) -> Finding:
    """Expiries and signatures are compared with this machine's clock."""
    off_seconds = (theirs - datetime.now(UTC)).total_seconds()
    is_well = abs(off_seconds) <= _CLOCK_SECONDS
    text = "is this machine's" if is_well else f"is {off_seconds:+.0f} s off this machine's: synchronise both"
    return Finding(subject=f"clock of {subject}", is_well=is_well, text=text)


def _proxies(settings: Settings) -> Finding:
    server = settings.server
    if any(ip_network(network).prefixlen == 0 for network in server.trusted_proxies):
        text = (
            "everybody is trusted, so every client can claim any address: name your proxies in server.trusted_proxies"
        )
        return Finding(subject="proxies", is_well=False, text=text)
    if not server.trusted_proxies:
        text = "none is trusted: the connection's own address is the buyer's"
    else:
        networks = ", ".join(server.trusted_proxies)
        text = f"{networks} may name the buyer in {server.client_ip_header}; see GET /internal/client-ip"
    return Finding(subject="proxies", is_well=True, text=text)
