"""What a module must offer, as `SANDBOX`, to be played by the sandbox."""

from collections.abc import Callable, Mapping, Sequence

from litestar.types import ControllerRouterHandler
from msgspec import Struct, field

from service.sandbox.documents import Document
from service.sandbox.faults import Fault
from service.sandbox.refusal import RefusalError
from service.sandbox.world import World


class Answer(Struct, frozen=True):
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


Lie = Callable[[Document, Fault], None]


class ProviderSandbox(Struct, frozen=True, kw_only=True):
    """Requests under `api_prefixes` are recorded and may meet faults; `lies` spoil a good answer in place."""

    name: str
    api_prefixes: tuple[str, ...]
    handlers: Sequence[ControllerRouterHandler]
    refused: Callable[[World, RefusalError], Answer]
    lies: Mapping[str, Lie] = {}


def provider_for(path: str, providers: Sequence[ProviderSandbox]) -> ProviderSandbox | None:
    return next((provider for provider in providers if path.startswith(provider.api_prefixes)), None)
