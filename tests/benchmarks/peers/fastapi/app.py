"""The ordinary Python stack: FastAPI, httpx and redis-py.

It takes a checkout, looks for the buyer's session, else makes one at the provider and keeps it.

Left out, and done by the service it is compared with: log lines, metrics, limits, sealed values, breaker, bulkhead and
rate budget, the comparison of the provider's answer with what was asked, one session for requests of the same moment,
idempotency keys, and records of what was made.
"""

import hashlib
import json
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
from fastapi import FastAPI, Header, Request, Response
from pydantic import BaseModel, Field
from redis.asyncio import Redis

TTL_SECONDS = 86_100
PATH = "/v2/checkouts/acme/popup-checkout/sessions"


class Item(BaseModel):
    product: str = Field(pattern="^pro-license$")
    quantity: int = Field(default=1, ge=1)


class Address(BaseModel):
    line1: str | None = None
    city: str | None = None
    region: str | None = None
    postalCode: str | None = None  # noqa: N815  # as in the request


class Customer(BaseModel):
    email: str | None = None
    firstName: str | None = None  # noqa: N815  # as in the request
    lastName: str | None = None  # noqa: N815  # as in the request
    company: str | None = None
    phone: str | None = None
    address: Address = Address()


class Order(BaseModel):
    items: list[Item] = Field(min_length=1)
    country: str | None = Field(default=None, pattern="^[A-Z]{2}$")
    language: str | None = None
    customer: Customer = Customer()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One client of the provider and one of the store, for as long as the application runs."""
    # httpx's own limits: more connections make it slower, as its pool looks at each of them for each request.
    async with (
        httpx.AsyncClient(
            base_url=os.environ["UPSTREAM_URL"], auth=("bench", "bench"), timeout=30
        ) as app.state.upstream,
        Redis.from_url(os.environ["STORE_URL"], max_connections=10_000) as app.state.store,
    ):
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/checkout")
async def create(request: Request, order: Order, buyer_key: Annotated[str, Header(min_length=22)]) -> Response:
    """The session of this buyer and order."""
    key = hashlib.sha256(buyer_key.encode() + await request.body()).hexdigest()
    if known := await request.app.state.store.get(key):
        return Response(known, media_type="application/json")
    reference = f"cs_{uuid.uuid4()}"
    answer = await request.app.state.upstream.post(PATH, json=upstream_request(order, reference))
    if answer.status_code != httpx.codes.CREATED:
        return Response('{"title":"The provider failed."}', status_code=502, media_type="application/json")
    session = json.dumps(session_of(answer.json(), reference))
    await request.app.state.store.set(key, session, ex=TTL_SECONDS)
    return Response(session, status_code=201, media_type="application/json")


def upstream_request(order: Order, reference: str) -> dict[str, object]:
    """The body of the provider's create."""
    buyer = order.customer
    return {
        "live": True,
        "cart": {
            "lineItems": [
                {"productPath": item.product, "quantity": item.quantity, "attributes": {"broker_ref": reference}}
                for item in order.items
            ]
        },
        "locale": order.language,
        "country": order.country,
        "customer": {
            "billToContact": {
                "email": buyer.email,
                "firstName": buyer.firstName,
                "lastName": buyer.lastName,
                "company": buyer.company,
                "phoneNumber": buyer.phone,
            },
            "billToAddress": {
                "addressLine1": buyer.address.line1,
                "city": buyer.address.city,
                "region": buyer.address.region,
                "postalCode": buyer.address.postalCode,
            },
        },
        "orderTags": {"channel": "web", "broker_ref": reference},
    }


def session_of(answer: dict, reference: str) -> dict[str, object]:
    """What the page needs of the provider's answer."""
    return {
        "reference": reference,
        "sessionId": answer["id"],
        "checkoutUrl": answer["checkoutUrls"]["webcheckoutUrl"],
        "live": answer["live"],
        "country": answer["country"],
        "currency": answer["currency"],
        "total": answer["cart"]["withTaxNetTotal"],
        "expiresAt": answer["expires"],
    }
