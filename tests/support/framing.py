"""Requests whose end two readers could see at different places, with a second request inside or behind.

Each variant is everything that is sent over one connection. The inner request asks for `INNER`; whoever takes it for a
request of its own has lost step with whoever stands before.
"""

INNER = b"/livez?smuggled"
_REQUEST = b"GET " + INNER + b" HTTP/1.1\r\nHost: broker\r\n\r\n"
_CHUNKED_REQUEST = b"0\r\n\r\n" + _REQUEST
_LENGTH = b"Content-Length: %d" % len(_CHUNKED_REQUEST)
_CHUNKED = b"Transfer-Encoding: chunked"


def _post(*headers: bytes, body: bytes = _CHUNKED_REQUEST, line: bytes = b"POST /checkout HTTP/1.1") -> bytes:
    head = (line, b"Host: broker", b"Content-Type: application/json", *headers)
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def _chunks(content: bytes) -> bytes:
    return _post(_CHUNKED, body=content)


AMBIGUOUS: dict[str, bytes] = {
    "length and chunks": _post(_LENGTH, _CHUNKED),
    "chunks and length": _post(_CHUNKED, _LENGTH),
    "length of nothing and chunks": _post(b"Content-Length: 0", _CHUNKED),
    "two lengths": _post(b"Content-Length: 0", _LENGTH),
    "two lengths, the other way": _post(_LENGTH, b"Content-Length: 0"),
    "one length twice": _post(_LENGTH, _LENGTH),
    "lengths in a list": _post(b"Content-Length: 0, %d" % len(_CHUNKED_REQUEST)),
    "length with a sign": _post(b"Content-Length: +0"),
    "negative length": _post(b"Content-Length: -1"),
    "length in hexadecimal": _post(b"Content-Length: 0x0"),
    "length with a fraction": _post(b"Content-Length: 0.0"),
    "length with a blank inside": _post(b"Content-Length: 0 0"),
    "length with an underscore": _post(b"Content-Length: 0_0"),
    "length that overflows": _post(b"Content-Length: 18446744073709551616"),
    "length of letters": _post(b"Content-Length: zero"),
    "length without a value": _post(b"Content-Length:"),
    "blank before the colon": _post(b"Content-Length : 0"),
    "tab before the colon": _post(b"Transfer-Encoding\t: chunked"),
    "blank before the name": _post(b" Transfer-Encoding: chunked"),
    "folded line": _post(b"Transfer-Encoding:\r\n chunked", _LENGTH),
    "zero byte in the name": _post(b"Transfer-\x00Encoding: chunked"),
    "zero byte in the value": _post(b"Transfer-Encoding: chunked\x00"),
    "unknown coding": _post(b"Transfer-Encoding: xchunked"),
    "coding of nothing": _post(b"Transfer-Encoding:"),
    "identity and a length": _post(b"Transfer-Encoding: identity", _LENGTH),
    "chunked, then another": _post(b"Transfer-Encoding: chunked, identity"),
    "chunked twice": _post(_CHUNKED, _CHUNKED, _LENGTH),
    "vertical tab": _post(b"Transfer-Encoding: \x0bchunked", _LENGTH),
    "quoted": _post(b'Transfer-Encoding: "chunked"', _LENGTH),
    "lonely line feed in the head": _post(b"X: a\nTransfer-Encoding: chunked", _LENGTH),
    "lonely carriage return in the head": _post(b"X: a\rTransfer-Encoding: chunked", _LENGTH),
    "no colon": _post(b"Transfer-Encoding chunked"),
    "chunk of a negative size": _chunks(b"-1\r\n\r\n" + _REQUEST),
    "chunk of a signed size": _chunks(b"+0\r\n\r\n" + _REQUEST),
    "chunk size with 0x": _chunks(b"0x0\r\n\r\n" + _REQUEST),
    "chunk size that overflows": _chunks(b"10000000000000000\r\n\r\n" + _REQUEST),
    "chunk without a size": _chunks(b"\r\n\r\n" + _REQUEST),
    "chunk longer than its size": _chunks(b"1\r\n{}\r\n" + _CHUNKED_REQUEST),
    "chunk that ends in a line feed": _chunks(b"2\r\n{}\n" + _CHUNKED_REQUEST),
    "chunk size that ends in a line feed": _chunks(b"2\n{}\r\n" + _CHUNKED_REQUEST),
    "chunk size that ends in a carriage return": _chunks(b"2\r{}\r\n" + _CHUNKED_REQUEST),
    "line feed in an extension": _chunks(b"0;a\nb\r\n\r\n" + _REQUEST),
    "version of no HTTP": _post(_CHUNKED, line=b"POST /checkout HTTP/1.10"),
    "two blanks in the first line": _post(_CHUNKED, line=b"POST /checkout  HTTP/1.1 "),
}
"""None may be answered with more than a refusal, after which the connection ends."""

INSIDE: dict[str, bytes] = {
    "in a body": _post(_LENGTH),
    "in a chunk": _chunks(b"%x\r\n%s\r\n0\r\n\r\n" % (len(_REQUEST), _REQUEST)),
    "in a chunk with an extension": _chunks(b"%x;a=b\r\n%s\r\n0\r\n\r\n" % (len(_REQUEST), _REQUEST)),
    "in a trailer": _chunks(b"2\r\n{}\r\n0\r\nX: " + _REQUEST.replace(b"\r\n", b" ") + b"\r\n\r\n"),
    "in a body that is announced twice as long": _post(b"Content-Length: %d" % (2 * len(_CHUNKED_REQUEST))),
}
"""One request each, whatever is said in it."""
