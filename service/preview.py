"""`preview`: what a request would make the service send, and why; sends nothing."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec.structs import replace

from service.api.asker import named_address
from service.api.callers import Callers
from service.api.client_ip import ProxyTrust
from service.api.schemas import PreviewAnswer
from service.app import checkout_of, quotes_of
from service.checkout.buyer import Buyer
from service.checkout.configured import preview as preview_of
from service.checkout.decoding import decode
from service.checkout.errors import CheckoutError, UnknownCheckoutError
from service.checkout.fingerprint import Hasher
from service.checkout.models import OrderRequest
from service.checkout.preview import Preview
from service.commands import load_or_exit
from service.providers.calls import Calls
from service.providers.transport import create_transport
from service.resources import create_client
from service.settings import Settings
from service.store.settings import KEY_BYTES, decode_key

_REFUSED = 1


def preview(environ: Mapping[str, str], file: Path, *, caller: str) -> int:
    """Print the upstream request that a body of `POST /internal/checkout` leads to, and the rule of each field.

    Status 0; 1 when the request is refused, with every reason; 2 when the configuration is invalid.
    """
    settings = load_or_exit(environ).settings
    try:
        outcome = _preview(settings, decode(msgspec.json.Decoder(OrderRequest), file.read_bytes()), caller)
    except OSError as error:
        sys.stderr.write(f"{file}: cannot be read ({error.strerror})\n")
        return _REFUSED
    except CheckoutError as error:
        reasons = [f"{one.field}: {one.detail}" for one in error.errors] or [error.detail]
        sys.stderr.write("".join(f"{file}: {reason}\n" for reason in reasons))
        return _REFUSED
    document = msgspec.json.format(msgspec.json.encode(PreviewAnswer.of(outcome)), indent=2)
    sys.stdout.write(f"{document.decode()}\n")
    return 0


def _preview(settings: Settings, request: OrderRequest, caller: str) -> Preview:
    if request.checkout not in settings.checkouts:
        raise UnknownCheckoutError
    trust = ProxyTrust(settings.server)
    request = replace(request, buyer_ip=named_address(request.buyer_ip, trust))
    name = settings.checkouts[request.checkout].upstream
    upstream = settings.upstreams[name]
    client = create_client(upstream, upstream.authorizations(), Calls(name), create_transport(1))
    # Buyers without an identity are named with this key; that of the bundled store is made when it starts.
    key = settings.store.hash_key and decode_key(settings.store.hash_key)
    now = datetime.now(UTC)
    checkout = checkout_of(request.checkout, settings, client, lambda: now)
    quotes = quotes_of(settings, Callers(settings.callers), trust, lambda: now)
    return preview_of(checkout, request, Buyer(caller=caller), Hasher(key or bytes(KEY_BYTES)), quotes, now)
