"""One PayNow store: its settings, customers, checkouts, orders, webhooks and the events that happened."""

import secrets
from datetime import datetime
from http import HTTPStatus
from itertools import count
from typing import TypeVar

from litestar.di import NamedDependency, Provide
from litestar.params import SkipValidation
from msgspec import structs

from service.sandbox.clock import iso_milliseconds
from service.sandbox.documents import Document
from service.sandbox.paynow.checkouts import Checkout
from service.sandbox.paynow.customers import LOOKUPS, Customer
from service.sandbox.paynow.flake import NODE_AND_COUNTER_BITS, flake_id
from service.sandbox.paynow.orders import Order
from service.sandbox.paynow.settings import PayNowSettings
from service.sandbox.paynow.subscriptions import Subscription
from service.sandbox.refusal import RefusalError
from service.sandbox.world import Part, World, WorldDependency

KEPT_ENTRIES = 100_000
KeptT = TypeVar("KeptT")


class PayNow(Part):
    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.settings = world.setting(PayNowSettings())
        self.customers: dict[str, Customer] = {}
        self.customer_by_token: dict[str, str] = {}
        self.checkouts: dict[str, Checkout] = {}
        self.order_by_checkout: dict[str, Order] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.events: list[Document] = []
        self._numbers = count(secrets.randbelow(1 << NODE_AND_COUNTER_BITS - 1))

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    def new_id(self) -> str:
        return flake_id(self.now, next(self._numbers))

    def add_customer(self, members: Document) -> Customer:
        new = Customer(id=self.new_id(), store_id=self.settings.store, created_at=iso_milliseconds(self.now))
        return keep(self.customers, new.id, structs.replace(new, **members))

    def change_customer(self, customer: Customer, members: Document) -> Customer:
        changed = structs.replace(customer, **members, updated_at=iso_milliseconds(self.now))
        return keep(self.customers, customer.id, changed)

    def customer(self, customer_id: str) -> Customer:
        customer = self.customers.get(customer_id)
        if customer is None:
            raise RefusalError(HTTPStatus.NOT_FOUND, "Customer not found")
        return customer

    def customer_by(self, lookup: str, value: str) -> Customer | None:
        """The first that was made, where several share a name."""
        if lookup == "id":
            return self.customers.get(value)
        return next((customer for customer in self.customers.values() if LOOKUPS[lookup](customer, value)), None)

    def new_token(self, customer: Customer) -> str:
        token = f"pncus_{secrets.token_urlsafe(32)}"
        keep(self.customer_by_token, token, customer.id)
        return token

    def end_tokens(self, customer: Customer) -> None:
        tokens = self.customer_by_token.items()
        self.customer_by_token = {token: owner for token, owner in tokens if owner != customer.id}

    def checkout(self, checkout_id: str) -> Checkout:
        checkout = self.checkouts.get(checkout_id)
        if checkout is None:
            raise RefusalError(HTTPStatus.NOT_FOUND, "Checkout not found")
        return checkout


def keep(entries: dict[str, KeptT], key: str, entry: KeptT) -> KeptT:
    """The oldest entry goes when there are too many."""
    entries[key] = entry
    if len(entries) > KEPT_ENTRIES:
        entries.pop(next(iter(entries)))
    return entry


def account_in(world: WorldDependency) -> PayNow:
    return world.part(PayNow)


PayNowDependency = NamedDependency[SkipValidation[PayNow]]
DEPENDENCIES = {"paynow": Provide(account_in, sync_to_thread=False)}
