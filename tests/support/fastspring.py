"""How tests talk to the sandbox's Sessions API v2."""

from collections.abc import Mapping
from typing import Any

import httpx

STORE = "/v2/checkouts/acme/popup-checkout"
SESSIONS = f"{STORE}/sessions"
SETTINGS = "/_sandbox/fastspring/settings"
Json = Any  # answers are picked apart by the assertions themselves


def item(path: str = "pro-license", **members: object) -> dict[str, object]:
    """A line item."""
    return {"productPath": path, **members}


def order(*items: Mapping[str, object], **members: object) -> dict[str, object]:
    """The body of a create."""
    return {"cart": {"lineItems": list(items)}, **members}


async def created(http: httpx.AsyncClient, body: object, sessions: str = SESSIONS) -> Json:
    """The session that a create made."""
    answer = await http.post(sessions, json=body)
    assert 201 == answer.status_code, answer.text
    return answer.json()


async def retrieved(http: httpx.AsyncClient, session_id: str) -> Json:
    """A session as it is now."""
    return (await http.get(f"{SESSIONS}/{session_id}")).json()
