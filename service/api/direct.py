"""`POST /checkout` goes straight to its handler: what the framework does for any route costs as much as the answer.

The framework has the same operation, for its document and for whatever is unusual about a request.
"""

import re
from types import TracebackType
from typing import Self, cast

from litestar import Litestar
from litestar.exceptions import HTTPException
from litestar.response.base import ASGIResponse
from litestar.types import HTTPScope, Receive, Scope, Send

from service.api.asked import Asked, BareRequest, headers_of
from service.api.edge import Json
from service.api.problems import ProblemAnswer, of_checkout_error, of_http_exception, of_unexpected_error
from service.api.storefront import CHECKOUT, answer_checkout
from service.checkout.errors import CheckoutError

_USUAL_HOST = re.compile(r"[A-Za-z0-9.:-]*")  # any other one is for the framework to judge


class Direct:
    """The framework's application, with the one short way past it."""

    def __init__(self, framework: Litestar) -> None:
        self._framework = framework

    async def __call__(self, scope: Json, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        if scope["type"] == "http" and scope["path"] == CHECKOUT and scope["method"] == "POST":
            asked = BareRequest(cast("HTTPScope", scope), receive)
            if _USUAL_HOST.fullmatch(headers_of(scope).first(b"host") or ""):
                scope["app"], scope["path_template"] = self._framework, CHECKOUT
                answer = await _answer(asked)
                await answer(asked.scope, receive, send)
                return
        await self._framework(cast("Scope", scope), receive, send)


async def _answer(asked: Asked) -> ASGIResponse:
    with _Failures(asked) as failures:
        return await answer_checkout(asked)
    return failures.problem.ready()


class _Failures:
    """Makes a problem of a failure of its block, as the framework does."""

    problem: ProblemAnswer

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, CheckoutError):
            self.problem = of_checkout_error(self._asked, error)
        elif isinstance(error, HTTPException):
            self.problem = of_http_exception(self._asked, error)
        elif isinstance(error, Exception):
            self.problem = of_unexpected_error(self._asked, error)
        else:
            return False
        return True
