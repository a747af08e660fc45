"""Turnstile and hCaptcha: the one call in which a server asks whether a person solved a challenge.

Whoever sends an answer that begins with `human` is one, once.
"""

from http import HTTPStatus
from urllib.parse import parse_qs

from litestar import Response, post

from service.sandbox.bodies import PlainRequest, response
from service.sandbox.clock import iso_milliseconds
from service.sandbox.documents import encoded
from service.sandbox.provider import Answer, ProviderSandbox
from service.sandbox.refusal import RefusalError
from service.sandbox.world import Part, World, WorldDependency

HUMAN = "human"
TURNSTILE, HCAPTCHA = "/turnstile/v0/siteverify", "/siteverify"


class Challenges(Part):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.used: set[str] = set()

    def fault(self, secret: str | None, answer: str | None, used_code: str) -> str | None:
        """The code of what is wrong; None when a person has solved it."""
        if not secret:
            return "missing-input-secret"
        if secret not in {password for _, password in self.world.credentials}:
            return "invalid-input-secret"
        if not answer:
            return "missing-input-response"
        if not answer.startswith(HUMAN):
            return "invalid-input-response"
        if answer in self.used:
            return used_code
        self.used.add(answer)
        return None


async def verdict(request: PlainRequest, world: World, used_code: str) -> Response[bytes]:
    form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
    fault = world.part(Challenges).fault(form.get("secret"), form.get("response"), used_code)
    now = iso_milliseconds(world.clock.now())
    return response(
        {"success": False, "error-codes": [fault]}
        if fault
        else {"success": True, "challenge_ts": now, "hostname": "shop.example", "error-codes": []}
    )


@post(TURNSTILE, status_code=HTTPStatus.OK)
async def turnstile(request: PlainRequest, world: WorldDependency) -> Response[bytes]:
    return await verdict(request, world, "timeout-or-duplicate")


@post(HCAPTCHA, status_code=HTTPStatus.OK)
async def hcaptcha(request: PlainRequest, world: WorldDependency) -> Response[bytes]:
    return await verdict(request, world, "already-seen-response")


def refused(_: World, refusal: RefusalError) -> Answer:
    return Answer(refusal.status, encoded({"success": False, "error-codes": ["bad-request"]}))


SANDBOX = ProviderSandbox(
    name="challenges", api_prefixes=(TURNSTILE, HCAPTCHA), handlers=(turnstile, hcaptcha), refused=refused
)
