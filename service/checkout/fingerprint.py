"""When two requests are the same: a keyed hash, so that what leaks from the store tells nothing of a cart."""

from hashlib import blake2b

import msgspec

from service.checkout.ports import UpstreamRequest
from service.checkout.reference import ALPHABET

_DIGEST_BYTES = 20
_PURPOSES = (b"request", b"group", b"replay", b"quote", b"buyer", b"pseudonym", b"limit")
_encode = msgspec.msgpack.Encoder().encode


class Hasher:
    """Keyed hashes; the key (32 bytes) is stable over restarts and shared by every replica."""

    def __init__(self, key: bytes) -> None:
        # Copied for each hash, which takes less than keying it anew.
        self._begun = {purpose: blake2b(digest_size=_DIGEST_BYTES, key=key, person=purpose) for purpose in _PURPOSES}

    def fingerprint(  # noqa: PLR0913  # each of them makes another request
        self,
        request: UpstreamRequest,
        *,
        buyer_key: str,
        upstream: str,
        checkout: str,
        live: bool,
        quote: str | None,
    ) -> str:
        """Of a request rendered without our reference and without the buyer's address; ends with the buyer's group."""
        digest = self._digest(b"request", _encode((request, buyer_key, upstream, checkout, live, quote)))
        return digest + self.group(buyer_key)

    def group(self, buyer_key: str) -> str:
        """One of 1,024, the same for everything of a buyer."""
        number = int(self._digest(b"group", buyer_key.encode())[:4], 16)
        return ALPHABET[number & 31] + ALPHABET[number >> 5 & 31]

    def replay(self, *parts: str | None) -> str:
        """Of an idempotency key and whatever it belongs to."""
        return self._digest(b"replay", _encode(parts))

    def quote(self, issuer: str, quote: str) -> str:
        """Of a quote's id, which its issuer may have made of anything, and two issuers alike."""
        return self._digest(b"quote", _encode((issuer, quote)))

    def buyer(self, buyer_key: str) -> str:
        """Of a buyer key, to recognise the browser that made a session."""
        return self._digest(b"buyer", buyer_key.encode())

    def pseudonym(self, buyer_key: str) -> str:
        """Of a buyer key, to name the buyer to a provider: another hash than ours, so that none leads to the other."""
        return self._digest(b"pseudonym", buyer_key.encode())

    def limit(self, kind: str, *named: str) -> str:
        """Of what is counted under a limit: an address, a product, an e-mail address, a checkout, an upstream."""
        return self._digest(b"limit", _encode((kind, named)))

    def _digest(self, purpose: bytes, content: bytes) -> str:
        digest = self._begun[purpose].copy()
        digest.update(content)
        return digest.hexdigest()
