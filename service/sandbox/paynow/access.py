"""Who calls: the store's own server with an API key, or a storefront with a customer's token."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from ipaddress import ip_address

from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, SkipValidation
from msgspec import Struct

from service.sandbox.bodies import PlainRequest
from service.sandbox.paynow.account import DEPENDENCIES, PayNow, PayNowDependency
from service.sandbox.paynow.customers import Customer
from service.sandbox.refusal import RefusalError, bad_field
from service.sandbox.world import WorldDependency

IP_HEADER = "x-paynow-customer-ip"
COUNTRY_HEADER = "x-paynow-customer-countrycode"
STORE_HEADER = "x-paynow-store-id"
COUNTRY_CODE = re.compile("[A-Z]{2}")


class Shopper(Struct, frozen=True):
    """A signed-in customer, and where the storefront says that he is."""

    customer: Customer
    ip: str | None
    country: str | None


def managed_store(request: PlainRequest, world: WorldDependency, store_id: FromPath[str]) -> PayNow:
    """The store of the path, for who has its key: the second part of an accepted pair of credentials."""
    if credential(request.headers, "apikey") not in {key for _, key in world.credentials}:
        raise RefusalError(HTTPStatus.UNAUTHORIZED, "A valid API key is required")
    paynow = world.part(PayNow)
    require_store(paynow, store_id)
    return paynow


def shopper_of(request: PlainRequest, paynow: PayNowDependency) -> Shopper:
    customer_id = paynow.customer_by_token.get(credential(request.headers, "customer"))
    if customer_id is None:
        raise RefusalError(HTTPStatus.UNAUTHORIZED, "A valid customer token is required")
    ip, country = address_of(request.headers), country_of(request.headers)
    if ip is None and country is None:
        raise RefusalError(HTTPStatus.BAD_REQUEST, f"{IP_HEADER} or {COUNTRY_HEADER} is required")
    return Shopper(paynow.customer(customer_id), ip, country)


def credential(headers: Mapping[str, str], scheme: str) -> str:
    """What follows the scheme, which may be written in either case; empty without it."""
    given, _, value = headers.get("authorization", "").partition(" ")
    return value if given.lower() == scheme else ""


def require_store(paynow: PayNow, store_id: str) -> None:
    if store_id != paynow.settings.store:
        raise RefusalError(HTTPStatus.NOT_FOUND, "Store not found")


def address_of(headers: Mapping[str, str]) -> str | None:
    text = headers.get(IP_HEADER)
    if text is None:
        return None
    try:
        return str(ip_address("" if "%" in text else text))
    except ValueError as error:
        raise bad_field(IP_HEADER, "Not an IPv4 or IPv6 address", value=text) from error


def country_of(headers: Mapping[str, str]) -> str | None:
    code = headers.get(COUNTRY_HEADER)
    if code is not None and not COUNTRY_CODE.fullmatch(code):
        raise bad_field(COUNTRY_HEADER, "Not two capital letters", value=code)
    return code


ShopperDependency = NamedDependency[SkipValidation[Shopper]]
MANAGED = {"paynow": Provide(managed_store, sync_to_thread=False)}
SHOPPING = {**DEPENDENCIES, "shopper": Provide(shopper_of, sync_to_thread=False)}
