"""Everything in Redis. Every key stands in this table, with a version in it.

Whatever tells of a session is sealed, and everything ends by itself.

| key | value | lives |
|---|---|---|
| `PREFIX:v1:reuse:FINGERPRINT` | the session made for exactly this request | until it may not be handed out again |
| the same | the claim of whoever makes it now | 2 s, renewed |
| `PREFIX:v1:session:REFERENCE` | the session's record | `store.ledger_days` |
| `PREFIX:v1:writer:REFERENCE` | a token of whoever changes the session now | 2 s, renewed |
| `PREFIX:v1:rate:UPSTREAM` | when the latest calls to an upstream were granted | a minute after the last |

What stands under a fingerprint is a copy of the record, written once: whatever changes a session deletes the copy
first, but for the addresses that its buyer goes back to. No key holds anything private: a fingerprint is a keyed hash,
a reference is our own.
"""


def reuse_key(prefix: str, fingerprint: str) -> str:
    """Where the session for a fingerprint stands."""
    return f"{prefix}:v1:reuse:{fingerprint}"


def session_key(prefix: str, reference: str) -> str:
    """Where the record of a session stands."""
    return f"{prefix}:v1:session:{reference}"


def writer_key(prefix: str, reference: str) -> str:
    """Where it stands that somebody changes a session."""
    return f"{prefix}:v1:writer:{reference}"


def rate_key(prefix: str, upstream: str) -> str:
    """Where the latest calls to an upstream stand."""
    return f"{prefix}:v1:rate:{upstream}"
