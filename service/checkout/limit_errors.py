"""What is said to an asker who is over a limit.

RequestRefusedError
├── RateLimitedError          too many from this address    → a later try may help
└── ChallengeRequiredError    many from everywhere          → show that a person asks
"""

from msgspec import Struct

from service.checkout.errors import RequestRefusedError


class RateLimitedError(RequestRefusedError):
    """This asker has had its share for the moment; others have not."""

    slug = "rate-limited"


class ShownChallenge(Struct, frozen=True, kw_only=True, rename="camel"):
    """Which widget a page has to show."""

    provider: str
    site_key: str


class ChallengeRequiredError(RequestRefusedError):
    """The browser has to show first that a person asks, with the widget of `challenge`."""

    slug = "challenge-required"
    challenge: ShownChallenge | None = None
