"""Everything in Redis. Every key stands in this table, with a version in it.

Whatever tells of a session is sealed, and everything ends by itself.

| key | value | lives |
|---|---|---|
| `PREFIX:v1:{GROUP}:reuse:FINGERPRINT` | the session made for exactly this request | as long as it may be handed out |
| `PREFIX:v1:{GROUP}:session:REFERENCE` | the session's record | `store.ledger_days` |
| `PREFIX:v1:{GROUP}:latest:CHECKOUT:BUYER` | the buyer's latest session, and the one before | as the record |
| `PREFIX:v1:{GROUP}:writer:REFERENCE` | nothing: it is claimed by whoever changes the session | |
| `PREFIX:v1:{KEY}:replay` | what was answered to an idempotency key | until that session's end, 24 h at most |
| `PREFIX:v1:quote:QUOTE` | the reference of the session that a quote was used for | until the quote is over |
| a `reuse`, `replay` or `writer` key and `:claim` | of whoever makes what stands there, or changes it | 2 s, renewed |
| `PREFIX:v1:rate:{UPSTREAM}` | when the latest calls to an upstream were granted | a minute after the last |
| `PREFIX:v1:rate:{UPSTREAM}:PAYER` | the same, of those made for one address | the same |
| `PREFIX:v1:{limits}:KIND:KEY` | when the latest sessions were granted under a limit | its window after the last |
| `PREFIX:v1:{limits}:paid:KEY` | sessions made and paid in a checkout, by the minute | an hour after the last |
| `PREFIX:v1:{limits}:paid-ever:KEY` | nothing: a payment of that checkout was seen | 31 days after the last |

What stands under a fingerprint is the session's reference and a copy of its record. Both are written in one step, which
a cluster can take as well: all keys of one buyer share a GROUP, which stands in each reference and fingerprint, so they
are in one slot. So are all keys of limits, and those of one upstream's rate. No key holds anything private: a
fingerprint, a KEY, a PAYER and a QUOTE are keyed hashes, a reference is our own.
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
    return f"{prefix}:v1:{{{key}}}:replay"


def quote_key(prefix: str, key: str) -> str:
    """Where it stands that a quote was used."""
    return f"{prefix}:v1:quote:{key}"


def writer_key(prefix: str, reference: str) -> str:
    """Where it stands that somebody changes a session."""
    return f"{prefix}:v1:{{{group_of(reference)}}}:writer:{reference}"


def claim_key(key: str) -> str:
    """Where the claim of whoever makes what stands under a key stands."""
    return f"{key}:claim"


def rate_key(prefix: str, upstream: str) -> str:
    """Where the latest calls to an upstream stand."""
    return f"{prefix}:v1:rate:{{{upstream}}}"


def payer_key(prefix: str, upstream: str, payer: str) -> str:
    """Where the latest calls to an upstream stand that were made for one payer."""
    return f"{rate_key(prefix, upstream)}:{payer}"


def limit_key(prefix: str, kind: str, key: str) -> str:
    """Where it stands when the latest sessions were granted under a limit."""
    return f"{prefix}:v1:{{limits}}:{kind}:{key}"


def paid_key(prefix: str, key: str) -> str:
    """Where it stands how many sessions of a checkout were made and paid."""
    return f"{prefix}:v1:{{limits}}:paid:{key}"


def paid_ever_key(prefix: str, key: str) -> str:
    """Where it stands that a payment of a checkout was seen."""
    return f"{prefix}:v1:{{limits}}:paid-ever:{key}"
