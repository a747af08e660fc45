"""Names that one table of the file gives and another must know, and what no two tables may share.

These rules look at the file as it stands, so that they are checked whatever else is wrong with it.
"""

from collections.abc import Mapping
from hashlib import sha256

from service.checkout.templates import headers_of
from service.config.reader import Reader, join

_EMPTY_KEY = sha256(b"").hexdigest()
Table = dict[str, object]


def check_names(reader: Reader, document: Table) -> None:
    """Note every name that leads nowhere."""
    _check_callers(reader, document)
    _check_callers_apart(reader, document)
    _check_quote_keys(reader, document)
    _check_headers(reader, document)


def tables(parent: Mapping[str, object], key: str) -> dict[str, Table]:
    """The tables under a key; what is no table is left out."""
    section = parent.get(key)
    if not isinstance(section, dict):
        return {}
    return {str(name): table for name, table in section.items() if isinstance(table, dict)}


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _check_callers(reader: Reader, document: Table) -> None:
    checkouts = tables(document, "checkouts")
    for name, caller in tables(document, "callers").items():
        path = join("callers", name)
        for unknown in sorted(set(_texts(caller.get("checkouts"))) - checkouts.keys()):
            table = join("checkouts", unknown)
            reader.fault(f"{path}.checkouts", f"there is no [{table}]: add it, or remove the name")
        if "jwt_subject" in caller and "jwt" not in document:
            reader.fault(f"{path}.jwt_subject", "needs a [jwt] table")


def _check_callers_apart(reader: Reader, document: Table) -> None:
    """A key or subject of two callers would make one of them act as the other."""
    owners: dict[tuple[str, str], str] = {}
    for name, caller in tables(document, "callers").items():
        marks = [("key_sha256", digest) for digest in _texts(caller.get("key_sha256"))]
        marks += [("jwt_subject", subject) for subject in _texts([caller.get("jwt_subject")])]
        for key, value in marks:
            owner = owners.setdefault((key, value), name)
            path = f"{join('callers', name)}.{key}"
            if owner != name:
                reader.fault(path, f"is that of [{join('callers', owner)}] too: give each caller its own")
            if value == _EMPTY_KEY:
                reader.fault(path, "is the digest of an empty key: make one with `openssl rand -hex 32`")


def _check_quote_keys(reader: Reader, document: Table) -> None:
    callers = tables(document, "callers")
    for kid, key in tables(tables(document, "quotes"), "keys").items():
        caller = key.get("caller")
        if isinstance(caller, str) and caller not in callers:
            path = f"{join('quotes.keys', kid)}.caller"
            reader.fault(path, f"there is no [{join('callers', caller)}]: add it, or name another")


def _check_headers(reader: Reader, document: Table) -> None:
    server = document.get("server")
    trusted = {header.lower() for header in _texts(server.get("trusted_headers") if isinstance(server, dict) else None)}
    for name, checkout in tables(document, "checkouts").items():
        tags = checkout.get("order_tags")
        for tag, template in tags.items() if isinstance(tags, dict) else ():
            for header in headers_of(template) if isinstance(template, str) else ():
                if header.lower() not in trusted:
                    mend = f'add "{header}" to server.trusted_headers once a trusted proxy sets it on every request'
                    path = join(f"{join('checkouts', name)}.order_tags", str(tag))
                    reader.fault(path, f"{{header:{header}}} is not trusted: {mend}")
