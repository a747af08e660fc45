"""Everything in Redis. Every key stands in this table, with a version in it; every value is sealed and has a TTL.

| key | value | lives |
|---|---|---|
| `PREFIX:v1:reuse:FINGERPRINT` | the session made for exactly this request | until it may not be handed out again |
| `PREFIX:v1:session:REFERENCE` | the session's record | `store.ledger_days` |

No key holds anything private: a fingerprint is a keyed hash, a reference is our own.
"""


def reuse_key(prefix: str, fingerprint: str) -> str:
    """Where the session for a fingerprint stands."""
    return f"{prefix}:v1:reuse:{fingerprint}"


def session_key(prefix: str, reference: str) -> str:
    """Where the record of a session stands."""
    return f"{prefix}:v1:session:{reference}"
