"""FastSpring Sessions API v2: `POST /v2/checkouts/{store}/{checkout}/sessions`, Basic auth, 201.

Facts are from developer.fastspring.com (reference/createsession, reference/sessions-v2-overview) and FastSpring's
published OpenAPI definitions, unless a comment says otherwise.

Reading order: `settings` (what a shop configures), `requests` (our order in their words), `answers` (their session in
ours), `adapter` (the call that makes a session), `editor` (the calls that change one), `verifier` (what became of one).
"""

from service.providers.base import ProviderModule
from service.providers.fastspring import PROBE, FastSpringUpstream
from service.providers.fastspring_v2.adapter import FastSpringV2
from service.providers.fastspring_v2.editor import FastSpringV2Editor
from service.providers.fastspring_v2.settings import FastSpringV2Checkout, advice, expectations
from service.providers.fastspring_v2.verifier import FastSpringV2Verifier

PROVIDER = ProviderModule(
    name="fastspring_v2",
    upstream_settings=FastSpringUpstream,
    checkout_settings=FastSpringV2Checkout,
    advice=advice,
    build=lambda checkout, client, _clock: FastSpringV2(checkout, client),
    edit=FastSpringV2Editor,
    verify=FastSpringV2Verifier,
    expectations=expectations,
    probe=lambda _checkout: PROBE,
)
