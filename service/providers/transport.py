"""The connections to a provider: aiohttp's under httpx's interface, verified, and nothing sent twice."""

import ssl
from functools import cache

import aiohttp
import certifi
import httpx
from httpx_aiohttp import AiohttpTransport

_IDLE_SECONDS = 15.0


class ConnectionLostError(aiohttp.ClientError):
    """The connection broke while a request was under way."""


def create_transport(max_connections: int, *, authorities: str | None = None) -> httpx.AsyncBaseTransport:
    """aiohttp under httpx's interface, as httpx's own pool loses slots for ever when calls are cancelled.

    (encode/httpcore issue 1093.)

    Certificates and host names are verified against `authorities` (a PEM file; Mozilla's list when None), with TLS
    1.2 or newer. Nothing is taken from the environment: no proxy, certificate or key-log variable can redirect or
    lay open our credentials.
    """
    context = _tls(authorities or certifi.where())

    def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=max_connections, ssl=context, keepalive_timeout=_IDLE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            middlewares=(_once,),
        )

    return AiohttpTransport(client=session, verify=context, trust_env=False)


@cache  # for all upstreams and reloads: reading the authorities holds up every request meanwhile
def _tls(authorities: str) -> ssl.SSLContext:
    # `create_default_context` would read SSL_CERT_FILE and SSLKEYLOGFILE.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authorities)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Hide a lost connection from aiohttp, which would send a GET, PUT or DELETE again behind our back.

    The repeat of a DELETE that was carried out finds nothing, and a 404 is FastSpring's word for throttling.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # never sent, and never repeated by aiohttp
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise ConnectionLostError from error
