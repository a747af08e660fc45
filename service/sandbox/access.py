"""Who calls a played provider: HTTP Basic credentials and the User-Agent header."""

import base64
import binascii
from collections.abc import Collection, Mapping
from http import HTTPStatus

from service.sandbox.refusal import RefusalError
from service.sandbox.world import Credentials


def require_user_agent(headers: Mapping[str, str]) -> None:
    if not headers.get("user-agent"):
        raise RefusalError(HTTPStatus.FORBIDDEN, "A User-Agent header is required")


def is_seller(headers: Mapping[str, str], accepted: Collection[Credentials]) -> bool:
    """True with accepted credentials, false without any; wrong ones are refused."""
    authorization = headers.get("authorization")
    if authorization is None:
        return False
    if basic_credentials(authorization) not in accepted:
        raise RefusalError(HTTPStatus.UNAUTHORIZED, "Invalid authentication or location settings")
    return True


def basic_credentials(authorization: str) -> Credentials | None:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        username, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return username, password
