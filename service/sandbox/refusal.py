"""What a played provider says no with; each provider gives it a body of its own."""

from collections.abc import Sequence
from http import HTTPStatus

from msgspec import Struct


class FieldError(Struct, frozen=True, kw_only=True, rename="camel"):
    error_code: str
    field: str
    message: str
    rejected_value: object = None


class RefusalError(Exception):
    """`shape` asks for one of several forms of error, where the provider has more than one."""

    def __init__(self, status: HTTPStatus, message: str, *, errors: Sequence[FieldError] = (), shape: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = tuple(errors)
        self.shape = shape


def bad_field(field: str, message: str, *, code: str = "INVALID_VALUE", value: object = None) -> RefusalError:
    error = FieldError(error_code=code, field=field, message=message, rejected_value=value)
    return RefusalError(HTTPStatus.BAD_REQUEST, message, errors=(error,))
