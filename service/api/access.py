"""What a request's access line will say, gathered while it runs."""

from service.api.asked import Asked

KEY = "access"


def note(asked: Asked, **fields: str) -> None:
    """Add fields to the access line: names and outcomes, never anything that a buyer typed."""
    asked.scope["state"].setdefault(KEY, {}).update(fields)
