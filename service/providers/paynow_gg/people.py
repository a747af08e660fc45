"""Who buys, as far as the order tells: a customer's id, a token, an identity to look up, or a pseudonym; pure."""

from hashlib import sha256

from msgspec import Struct

from service.checkout.errors import FieldError, InvalidRequestError
from service.checkout.models import Identity, Order
from service.providers.paynow_gg.settings import PayNowCheckout
from service.providers.paynow_gg.vocabulary import lookup_of

# What the management call can make a customer of. The body of a create has no place for a Minecraft name.
_MADE_BY_MANAGEMENT = frozenset({"steam_id", "minecraft_uuid", "xbox_xuid", "name"})
_SIGNED_IN = frozenset({"minecraft_java_name", "minecraft_bedrock_name"})
_PSEUDONYM_METADATA = {"created_by": "checkout-broker"}


class Person(Struct, frozen=True, kw_only=True):
    """Somebody who may be a customer already.

    `query` finds them, `new` is the body that makes a customer of them, `sign_in` the one that lets them claim a
    Minecraft name; with neither they must be known. `field` is where the request says so, None for a pseudonym.
    """

    label: str
    query: tuple[str, str]
    new: dict[str, object] | None = None
    sign_in: dict[str, str] | None = None
    field: str | None = "customer.identity"


def person_of(order: Order, checkout: PayNowCheckout) -> Person:
    """Whom to look up for an order that names no customer by id.

    Raises:
        InvalidRequestError: nothing tells; says what to send.
    """
    if order.customer and order.customer.identity:
        return _identified(order.customer.identity)
    if checkout.customer_identity == "name" and order.pseudonym:
        query = ("name", order.pseudonym)
        new: dict[str, object] = {"name": order.pseudonym, "metadata": _PSEUDONYM_METADATA}
        return Person(label=f"name:{order.pseudonym}", query=query, new=new, field=None)
    raise _nobody(checkout)


def _identified(identity: Identity) -> Person:
    parameter, value = lookup_of(identity)
    return Person(
        label=f"{identity.platform}:{identity.id}",
        query=(parameter, value),
        new={parameter: value} if parameter in _MADE_BY_MANAGEMENT else None,
        sign_in={"platform": identity.platform, "id": identity.id} if parameter in _SIGNED_IN else None,
    )


def _nobody(checkout: PayNowCheckout) -> InvalidRequestError:
    ways = ["`customerId` or `customer.identity` from a back end"]
    if checkout.browser_identities:
        ways.insert(0, f"`customer.identity` on one of {', '.join(checkout.browser_identities)}")
    if checkout.customer_identity == "name":
        ways.insert(0, "a Buyer-Key header")
    field = "Buyer-Key" if checkout.customer_identity == "name" else "customer.identity"
    error = FieldError(field=field, detail=f"PayNow sells to known customers alone: send {', or '.join(ways)}.")
    return InvalidRequestError("Nothing says who buys.", errors=(error,))


def label_of(order: Order, checkout: PayNowCheckout) -> str:
    """Who buys, for a request in which it does not stand yet; a token is shown by its digest alone.

    Raises:
        InvalidRequestError: nothing tells.
    """
    if order.customer_token:
        return f"token:{sha256(order.customer_token.encode()).hexdigest()}"
    if order.customer_id:
        return f"id:{order.customer_id}"
    return person_of(order, checkout).label
