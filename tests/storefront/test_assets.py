"""What is promised of the files that a shop's page loads."""

import gzip
import re

import pytest

from service.storefront import asset, shop_page

BROKER = "http://127.0.0.1:8000"


def test_client_is_small() -> None:
    """The storefront client travels in less than 3 kB, with no build step."""
    assert len(gzip.compress(asset("checkout.js"), 9)) < 3000


def test_client_is_plain_ascii() -> None:
    """The client reads the same in a page of any encoding."""
    assert asset("checkout.js").isascii()


@pytest.mark.parametrize("name", ["checkout.js", "shop/shop.js"])
@pytest.mark.parametrize("word", [b"eval(", b"new Function", b"innerHTML", b"document.write", b"console.", b"debugger"])
def test_scripts_keep_out_of_what_a_strict_page_forbids(name: str, word: bytes) -> None:
    """The scripts make no code from text, no markup from text, and log nothing."""
    assert word not in asset(name)


def test_client_stores_only_its_buyer_key() -> None:
    """Nothing but the buyer key, and that the last session was paid, is ever written to the browser's storage."""
    assert [b'"checkout-buyer-key"'] == re.findall(rb"KEY_NAME = (.*);", asset("checkout.js"))
    written = re.findall(rb"setItem\(.*?\)", asset("checkout.js"))
    assert [b"setItem(KEY_NAME, buyerKey)", b"setItem(PAID_NAME, 1)"] == written
    assert b"sessionStorage" not in asset("checkout.js")


def test_shop_page_loads_the_client_from_its_broker() -> None:
    """The demo shop takes checkout.js from the broker that it is given."""
    page = shop_page(BROKER + "/").decode()

    assert f'<script src="{BROKER}/checkout.js" defer>' in page
    assert "{{" not in page


def test_shop_page_escapes_the_broker() -> None:
    """An address with a quote in it ends no attribute."""
    assert b'"><script>' not in shop_page('http://x/"><script>alert(1)</script>')


def test_shop_loads_nothing_from_elsewhere() -> None:
    """The demo shop needs no address but its own and its broker's."""
    page, style = shop_page(BROKER).decode(), asset("shop/shop.css").decode()
    loaded = re.findall(r'(?:src|href)="(?!data:)(.*?)"', page)

    assert ["shop.css", f"{BROKER}/checkout.js", "shop.js"] == loaded
    assert "url(" not in style
    assert "@import" not in style


def test_shop_page_has_no_inline_code_or_style() -> None:
    """The demo shop keeps the strict policy that it declares."""
    page = shop_page(BROKER).decode()

    assert [] == re.findall(r"\sstyle=|\son\w+=|<style|<script>", page)
    assert "unsafe" not in page


@pytest.mark.parametrize("name", ["missing.js", "../__init__.py", "shop"])
def test_only_files_of_the_folder_are_assets(name: str) -> None:
    """A name that is no file of ours is refused, whatever it points at."""
    with pytest.raises(FileNotFoundError):
        asset(name)
