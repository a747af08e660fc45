"""Good answers of PayNow spoiled one member at a time: each must be noticed by whoever reads them."""

from collections.abc import Mapping

from service.sandbox.documents import Document, drop
from service.sandbox.faults import Fault
from service.sandbox.provider import Lie

TOKENS = ("token", "customer_token")


def putting(name: str, value: object) -> Lie:
    """Replaces the member of an answer that has it."""

    def lie(document: Document, _: Fault) -> None:
        if name in document:
            document[name] = value

    return lie


def dropping(*names: str) -> Lie:
    def lie(document: Document, _: Fault) -> None:
        for name in names:
            drop(document, name)

    return lie


def number_id(document: Document, _: Fault) -> None:
    """The id as a JSON number, which no JavaScript holds exactly."""
    if "id" in document:
        document["id"] = int(str(document["id"]))


def wrong_types(document: Document, _: Fault) -> None:
    wrong: Mapping[str, object] = {"id": 17, "token": True, "url": ["none"], "customer_token": 0, "metadata": "none"}
    document.update({name: value for name, value in wrong.items() if name in document})


def hostile_token(document: Document, _: Fault) -> None:
    document.update({name: "c4qq\r\nSet-Cookie: stolen=1" for name in TOKENS if name in document})


LIES: Mapping[str, Lie] = {
    "missing_id": dropping("id"),
    "missing_token": dropping(*TOKENS),
    "missing_url": dropping("url"),
    "number_id": number_id,
    "too_large_id": putting("id", str(2**63)),
    "hostile_id": putting("id", "4114\r\nSet-Cookie: stolen=1"),
    "hostile_token": hostile_token,
    "wrong_types": wrong_types,
    "wrong_store": putting("store_id", "1"),
    "foreign_url": putting("url", "https://evil.example/?t=c4qq"),
    "script_url": putting("url", "javascript:alert(1)//checkout.paynow.gg"),
}
