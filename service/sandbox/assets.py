"""The pages, scripts and styles that browsers get."""

from http import HTTPStatus
from pathlib import Path

from litestar import Response

from service.sandbox.refusal import RefusalError

STATIC = Path(__file__).parent / "static"
MEDIA_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


def asset(name: str, status: HTTPStatus) -> Response[bytes]:
    file = STATIC / name
    if file.suffix not in MEDIA_TYPES or file.parent != STATIC or not file.is_file():
        raise RefusalError(HTTPStatus.NOT_FOUND, "Not found")
    return Response(file.read_bytes(), status_code=status, media_type=MEDIA_TYPES[file.suffix], headers=PAGE_HEADERS)
