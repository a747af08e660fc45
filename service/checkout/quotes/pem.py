"""Ed25519 keys as PEM texts."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from service.config.secret import Secret


def private_key_of(secret: Secret | None) -> Ed25519PrivateKey | None:
    """The key in a PEM text; None when it is not one."""
    try:
        key = load_pem_private_key(secret.reveal().encode(), password=None) if secret else None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, Ed25519PrivateKey) else None


def public_key_of(secret: Secret | None) -> Ed25519PublicKey | None:
    """The key in a PEM text; None when it is not one."""
    try:
        key = load_pem_public_key(secret.reveal().encode()) if secret else None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, Ed25519PublicKey) else None
