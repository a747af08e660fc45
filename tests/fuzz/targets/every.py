"""Every fuzz target by the name of its corpus."""

from collections.abc import Callable

from tests.fuzz.targets import addresses, bodies, callers, headers, paths, quotes, return_urls, templates

TARGETS: dict[str, Callable[[bytes], None]] = {
    "addresses": addresses.target,
    "named_addresses": addresses.target_named,
    "paths": paths.target,
    "references": paths.target_reference,
    "quotes": quotes.target,
    "quote_claims": quotes.target_claims,
    "bodies": bodies.target,
    "bodies_of_callers": bodies.target_of_callers,
    "templates": templates.target,
    "return_urls": return_urls.target,
    "idempotency_keys": headers.target_idempotency_key,
    "retry_after": headers.target_retry_after,
    "callers": callers.target,
    "token_claims": callers.target_claims,
}
"""Each raises nothing but what is documented, and fails where an oracle of its own says otherwise."""
EXAMPLES = 400
"""Inputs of each in an ordinary run."""
SECONDS = dict.fromkeys(TARGETS, 60.0) | {"addresses": 600.0}
"""How long each is tried in a run in full; an address decides the buyer's country, currency and tax."""
