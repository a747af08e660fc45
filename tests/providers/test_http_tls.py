"""TLS towards a provider: credentials travel over a good connection, or not at all."""

import asyncio
import shutil
import ssl
from datetime import timedelta
from pathlib import Path

import certifi
import pytest

from service.checkout.errors import UpstreamUnavailableError
from service.checkout.ports import UpstreamRequest
from tests.support.certificates import Authority, self_signed
from tests.support.upstream import AUTHORIZATION, answering, client_of, response, upstream

REQUEST = UpstreamRequest(method="POST", segments=("v2", "sessions"), body=b"{}")


@pytest.fixture
def known(tmp_path: Path) -> Authority:
    """The authority that the client trusts."""
    return Authority(tmp_path, "known")


def old_tls(known: Authority) -> ssl.SSLContext:
    context = known.server("127.0.0.1")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


async def test_good_certificate_is_accepted(known: Authority) -> None:
    """The control: with a certificate of a known authority for this host, the request arrives."""
    async with (
        upstream(answering(response()), tls=known.server("127.0.0.1")) as server,
        client_of(server.url, authorities=str(known.file)) as client,
    ):
        answer = await client.send(REQUEST)

    assert 201 == answer.status
    assert AUTHORIZATION == server.requests[0].header("authorization")


@pytest.mark.parametrize("fault", ["expired", "wrong-host", "self-signed", "unknown-authority", "old-tls"])
async def test_bad_certificate_is_refused(known: Authority, tmp_path: Path, fault: str) -> None:
    """Expired, for another host, of itself or of an unknown authority, or TLS 1.1: not one byte is sent."""
    tls = {
        "expired": lambda: known.server("127.0.0.1", life=-timedelta(days=1)),
        "wrong-host": lambda: known.server("127.0.0.2", "localhost"),
        "self-signed": lambda: self_signed(tmp_path, "127.0.0.1"),
        "unknown-authority": lambda: Authority(tmp_path, "unknown").server("127.0.0.1"),
        "old-tls": lambda: old_tls(known),
    }[fault]()
    async with (
        upstream(answering(response()), tls=tls) as server,
        client_of(server.url, authorities=str(known.file)) as client,
    ):
        await prove_that_the_server_serves(server.url)
        with pytest.raises(UpstreamUnavailableError):
            await client.send(REQUEST)

    assert 0 == server.bytes_received


async def prove_that_the_server_serves(url: str) -> None:
    """The fault is in the certificate or version alone: a client that asks no questions is let in."""
    lax = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    lax.check_hostname, lax.verify_mode = False, ssl.CERT_NONE
    lax.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        lax.minimum_version = ssl.TLSVersion.TLSv1
    host, port = url.removeprefix("https://").split(":")
    _, writer = await asyncio.open_connection(host, int(port), ssl=lax)
    writer.close()
    await writer.wait_closed()


async def test_plaintext_server_is_refused() -> None:
    """A server that speaks no TLS learns nothing of the request."""
    seen = bytearray()

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.extend(await reader.read(65536))
        writer.write(response())
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(plain, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    async with listener, client_of(url) as client:
        with pytest.raises(UpstreamUnavailableError):
            await client.send(REQUEST)

    assert seen
    assert not any(part in seen for part in (b"Basic", AUTHORIZATION.encode(), b"/v2/sessions", b"POST"))


async def test_environment_adds_no_authority(known: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that names another authority is not used: its certificates stay unknown."""
    monkeypatch.setenv("SSL_CERT_FILE", str(known.file))
    usual = shutil.copy(certifi.where(), tmp_path / "usual.pem")
    async with (
        upstream(answering(response()), tls=known.server("127.0.0.1")) as server,
        client_of(server.url, authorities=str(usual)) as client,
    ):
        with pytest.raises(UpstreamUnavailableError):
            await client.send(REQUEST)

    assert 0 == server.bytes_received


async def test_session_keys_are_written_nowhere(
    known: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`SSLKEYLOGFILE`, by which a recorded connection could be read, is not honoured."""
    log = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    async with (
        upstream(answering(response()), tls=known.server("127.0.0.1")) as server,
        client_of(server.url, authorities=str(known.file)) as client,
    ):
        await client.send(REQUEST)

    assert not log.exists()
