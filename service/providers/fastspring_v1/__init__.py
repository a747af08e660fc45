"""FastSpring Sessions v1 (legacy): `POST /sessions`, Basic auth, 200. There is no call that reads or changes a session.

Facts are from developer.fastspring.com (reference/create-a-session, docs/store-builder-library-overview) and
FastSpring's published OpenAPI definitions, unless a comment says otherwise. Documented are the members of request and
answer, "Item exists.", the hosted page at `https://{storefront host}/session/{id}`, and `fastspring.builder.checkout`
for the popup; `expiration` in the guide's text alone. Inferred: that the storefront's host decides between test and
live. The shapes of its errors are those of other calls of the same API.

Who buys is an account (`accountId`) or a contact (`customer`, with country and language), never both. A known account
keeps its registered country. So `country` beside `accountId` is refused, and what a header or the configuration says of
country and language is not sent then; `language` goes on deciding the language of our own texts.

Reading order: `settings` (what a shop configures), `requests` (our order in their words), `vocabulary` (what they have
no words for), `answers` (their session in ours), `adapter` (the call).
"""

from service.providers.base import ProviderModule
from service.providers.fastspring import PROBE, FastSpringUpstream
from service.providers.fastspring_v1.adapter import FastSpringV1
from service.providers.fastspring_v1.settings import FastSpringV1Checkout, advice, expectations

PROVIDER = ProviderModule(
    name="fastspring_v1",
    upstream_settings=FastSpringUpstream,
    checkout_settings=FastSpringV1Checkout,
    # Sessions v1 has no read call, no payment-method controls and no warnings.
    no_use_for=frozenset({"verify_after_seconds", "payment_methods", "accept_warnings"}),
    advice=advice,
    build=lambda checkout, client, _clock: FastSpringV1(checkout, client),
    expectations=expectations,
    probe=lambda _checkout: PROBE,
)
