"""What a shop's page gets from us: the storefront client and the demo shop, as they are served."""

from functools import cache
from html import escape
from pathlib import Path

FOLDER = Path(__file__).parent


@cache
def asset(name: str) -> bytes:
    path = (FOLDER / name).resolve()
    if not path.is_relative_to(FOLDER.resolve()) or not path.is_file():
        raise FileNotFoundError(name)
    return path.read_bytes()


def shop_page(broker_url: str) -> bytes:
    return asset("shop/index.html").replace(b"{{broker}}", escape(broker_url.rstrip("/")).encode())
