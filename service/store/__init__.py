"""Everything in Redis. Every key stands in this table, with a version in it.

Whatever tells of a session is sealed, and everything ends by itself.

| key | value | lives |
|---|---|---|
| `PREFIX:v1:{GROUP}:reuse:FINGERPRINT` | the session made for exactly this request | as long as it may be handed out |
| the same | the claim of whoever makes it now | 2 s, renewed |
| `PREFIX:v1:{GROUP}:session:REFERENCE` | the session's record | `store.ledger_days` |
| `PREFIX:v1:{GROUP}:latest:CHECKOUT:BUYER` | the reference of the buyer's latest session | the same |
| `PREFIX:v1:replay:KEY` | what was answered to an idempotency key | the same, 24 h at most |
| the same | the claim of whoever makes that answer now | 2 s, renewed |
| `PREFIX:v1:writer:REFERENCE` | the claim of whoever changes the session now | 2 s, renewed |
| `PREFIX:v1:rate:UPSTREAM` | when the latest calls to an upstream were granted | a minute after the last |
| `PREFIX:v1:probe` | nothing: it is asked for to see whether the store answers | |

What stands under a fingerprint is the session's reference and a copy of its record. Both are written in one step, which
a cluster can take as well: all keys of one buyer share a GROUP, which stands in each reference and fingerprint, so they
are in one slot. No key holds anything private: a fingerprint is a keyed hash, a reference is our own.
"""

from service.checkout.reference import group_of


def reuse_key(prefix: str, fingerprint: str) -> str:
    """Where the session for a fingerprint stands."""
    return f"{prefix}:v1:{{{group_of(fingerprint)}}}:reuse:{fingerprint}"


def session_key(prefix: str, reference: str) -> str:
    """Where the record of a session stands."""
    return f"{prefix}:v1:{{{group_of(reference)}}}:session:{reference}"


def latest_key(prefix: str, reference: str, checkout: str, buyer: str) -> str:
    """Where the latest session of a buyer in a checkout stands; `reference` is of any session of that buyer."""
    return f"{prefix}:v1:{{{group_of(reference)}}}:latest:{checkout}:{buyer}"


def replay_key(prefix: str, key: str) -> str:
    """Where the answer to an idempotency key stands."""
    return f"{prefix}:v1:replay:{key}"


def writer_key(prefix: str, reference: str) -> str:
    """Where it stands that somebody changes a session."""
    return f"{prefix}:v1:writer:{reference}"


def rate_key(prefix: str, upstream: str) -> str:
    """Where the latest calls to an upstream stand."""
    return f"{prefix}:v1:rate:{upstream}"


def probe_key(prefix: str) -> str:
    """Where nothing stands."""
    return f"{prefix}:v1:probe"
