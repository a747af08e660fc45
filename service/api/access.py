"""What a request's access line will say, gathered while it runs."""

from typing import Any

from litestar import Request

KEY = "access"


def note(request: Request[Any, Any, Any], **fields: str) -> None:
    """Add fields to the access line: names and outcomes, never anything that a buyer typed."""
    request.scope["state"].setdefault(KEY, {}).update(fields)
