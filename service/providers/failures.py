"""What a call that failed on its way says of itself."""

import httpx

from service.checkout.errors import (
    ProviderError,
    UpstreamInvalidError,
    UpstreamMisconfiguredError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)


def failure_of(cause: BaseException) -> ProviderError:
    """The kind of a failed call, and whether anything was sent."""
    if isinstance(cause, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)):
        return _unsent(UpstreamUnavailableError("The provider cannot be reached."))
    if isinstance(cause, httpx.LocalProtocolError):
        return _unsent(UpstreamMisconfiguredError("The request cannot be built from this configuration."))
    if isinstance(cause, TimeoutError):  # of the transport's own, before there was a connection
        return _unsent(UpstreamTimeoutError("There was no time left to ask the provider."))
    if isinstance(cause, httpx.TimeoutException):
        return UpstreamTimeoutError("The provider did not answer in time.")
    if isinstance(cause, httpx.ProtocolError):
        return UpstreamInvalidError("The provider's answer cannot be read.")
    return UpstreamUnavailableError("The provider closed the connection.")


def _unsent(failure: ProviderError) -> ProviderError:
    """Of a name, connection or TLS handshake that failed, or a connection that was not to be had."""
    failure.sent = False
    return failure
