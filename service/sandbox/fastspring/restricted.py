"""The members that only a seller may set: found in, or taken out of, the request of anybody else."""

from collections.abc import Iterable, Iterator

from service.sandbox.documents import Document, drop, is_list, read

SESSION = ("buyerIp", "orderTags", "paymentMethodsOrder", "hidePaymentMethods")
CUSTOMER = ("accountId", "externalAccountId", "accountTags")
ITEM = (
    "quantityBehavior",
    "quantityDefault",
    "descriptions",
    "customPrice",
    "attributes",
    "subscriptionOverrides",
)


def in_session(document: Document) -> list[str]:
    items = read(document, "cart.lineItems")
    prefixes = [f"cart.lineItems.{index}." for index in range(len(items) if is_list(items) else 0)]
    paths = [*SESSION, *(f"customer.{name}" for name in CUSTOMER)]
    paths += [f"{prefix}{name}" for prefix in prefixes for name in ITEM]
    return list(present(document, paths))


def in_customer(document: Document) -> list[str]:
    return list(present(document, CUSTOMER))


def in_item(document: Document) -> list[str]:
    return list(present(document, ITEM))


def present(document: Document, paths: Iterable[str]) -> Iterator[str]:
    return (path for path in paths if read(document, path) is not None)


def without(document: Document, paths: Iterable[str]) -> Document:
    for path in paths:
        drop(document, path)
    return document
