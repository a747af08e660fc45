"""One request on the wire: it can be passed on, answered otherwise, kept waiting or hung up on."""

import asyncio
import socket
import struct
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from litestar.types import ASGIApp, HTTPScope, Message, Receive, ReceiveMessage, Send

from service.sandbox.provider import Answer

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Socket(Protocol):
    def setsockopt(self, level: int, option: int, value: bytes, /) -> None: ...


@runtime_checkable
class Transport(Protocol):
    def get_extra_info(self, name: str, /) -> Socket: ...
    def abort(self) -> None: ...
    def close(self) -> None: ...


class Exchange:
    def __init__(self, app: ASGIApp, scope: HTTPScope, body: bytes, receive: Receive, send: Send) -> None:
        self.scope = scope
        self._app = app
        self._body: bytes | None = body
        self._receive = receive
        self._send = send

    async def pass_on(self) -> None:
        await self._app(self.scope, self._replay, self._send)

    async def answer(self) -> Answer:
        """What the application answers, kept back."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(self.scope, self._replay, keep)
        return answer_from(messages)

    async def give(self, answer: Answer) -> None:
        await self.start(answer.status, {**answer.headers, "content-length": str(len(answer.body))})
        await self.send_body(answer.body, more=False)

    async def start(self, status: int, headers: dict[str, str]) -> None:
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": pairs})

    async def send_body(self, body: bytes, *, more: bool) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    async def client_left(self) -> None:
        message = await self._receive()
        while message["type"] != "http.disconnect":
            message = await self._receive()

    async def client_left_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self.client_left(), seconds)
        except TimeoutError:
            return False
        return True

    async def hang_up(self) -> None:
        """Closes the connection after what was written so far."""
        self._transport().close()
        await self.client_left()

    async def reset_connection(self) -> None:
        transport = self._transport()
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        transport.abort()
        await self.client_left()

    def _transport(self) -> Transport:
        # ASGI has no message for it; uvicorn's send is a method of the object that owns the transport.
        transport = getattr(getattr(self._send, "__self__", None), "transport", None)
        if not isinstance(transport, Transport):
            raise ConnectionResetError("the server keeps its connection to itself: run the sandbox under uvicorn")
        return transport

    async def _replay(self) -> ReceiveMessage:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def answer_from(messages: Sequence[Message]) -> Answer:
    status, headers, body = 500, dict[str, str](), b""
    for message in messages:
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = {name.decode(): value.decode() for name, value in message["headers"]}
        elif message["type"] == "http.response.body":
            body += message["body"]
    return Answer(status, body, headers)
