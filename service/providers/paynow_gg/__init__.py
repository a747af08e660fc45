"""PayNow.gg: `POST /v1/stores/{store}/checkouts` with the store's API key, or `POST /v1/checkouts` as a customer.

Facts are from docs.paynow.gg and PayNow's published OpenAPI documents (github.com/paynow-gg/openapi), unless a comment
says otherwise.

A checkout's `mode` decides which of the two calls makes the session, as they do not take the same things:

- *management* takes metadata, inline products, payout splits and billing details, and has no place for the buyer's
  address. `orderTags` and `metadata` go into the checkout's metadata; an address that the connection tells is not sent.
- *storefront* takes the buyer's address and country, and no metadata: tags are kept on our own record alone.

What the mode cannot carry and was asked for is refused. Neither call has an idempotency key, an expiry, or a way to
read a session again; what became of one is told by the store's orders alone.

Reading order: `settings` (what a shop configures), `vocabulary` (what may be asked for), `people` (who buys),
`requests` (our order in their words), `answers` (theirs in ours), `customers` (their ids of buyers: found, made and
`remembered`), `adapter` (the call that makes a session), `verifier` (what became of one).
"""

from service.checkout.ports import UpstreamRequest
from service.providers.base import ProviderModule
from service.providers.paynow_gg.adapter import PayNow
from service.providers.paynow_gg.settings import PayNowCheckout, PayNowUpstream, advice, expectations
from service.providers.paynow_gg.verifier import PayNowVerifier

PROVIDER = ProviderModule(
    name="paynow_gg",
    upstream_settings=PayNowUpstream,
    checkout_settings=PayNowCheckout,
    # PayNow takes no payment-method, language or item-attribute fields, locks no quantity and warns of nothing.
    no_use_for=frozenset({"payment_methods", "accept_warnings", "lock_quantity", "attributes"}),
    advice=advice,
    build=PayNow,
    verify=PayNowVerifier,
    calls_per_session=4,  # a customer is looked for, made and let in before the session
    expectations=expectations,
    # A read of one customer at most, with the store's key.
    probe=lambda checkout: UpstreamRequest(
        method="GET", segments=("v1", "stores", checkout.store_id, "customers"), query=(("limit", "1"),)
    ),
)
