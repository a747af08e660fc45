"""A fast FastSpring: reads a create request and echoes what acceptance compares, in as little time as Python allows."""

import asyncio
import sys

import msgspec

_ANSWER = """\
{"id":"OS%015dXYZ","created":"2026-01-01T10:00:00.000Z","expires":"2099-01-02T10:00:00.000Z","status":"OPEN",\
"locale":"de","country":"DE","currency":"EUR","live":true,"orderTags":%s,"cart":{"lineItems":[{"productPath":\
"pro-license","quantity":2,"price":{"unitListPrice":24.5}}],"netTotal":49.0,"withTaxNetTotal":49.0,\
"withTaxNetTotalDisplay":"49,00 EUR","withoutTaxNetTotal":41.18},"checkoutUrls":{"webcheckoutUrl":\
"https://acme.onfastspring.com/checkout/session/OS"},"warnings":[],"checkoutStatus":["READY_FOR_CHECKOUT"]}"""


class _Request(msgspec.Struct, rename="camel"):
    order_tags: msgspec.Raw


class _Protocol(asyncio.Protocol):
    made = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self._received = body[length:]
        _Protocol.made += 1
        tags = bytes(msgspec.json.decode(body[:length], type=_Request).order_tags).decode()
        answer = (_ANSWER % (_Protocol.made, tags)).encode()
        head = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer)
        if isinstance(self._transport, asyncio.Transport):
            self._transport.write(head + answer)


async def main(port: int) -> None:
    """Serve until the process is ended."""
    server = await asyncio.get_running_loop().create_server(_Protocol, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
