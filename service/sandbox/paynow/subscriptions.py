"""Webhook subscriptions: one event each, with a secret of its own."""

import secrets
from typing import Literal

from msgspec import Struct

from service.sandbox.paynow.wire import Wire

WebhookEvent = Literal[
    "OnOrderCompleted",
    "OnPaymentCompleted",
    "OnPaymentFailed",
    "OnRefund",
    "OnChargeback",
    "OnChargebackClosed",
    "OnSubscriptionActivated",
    "OnSubscriptionRenewed",
    "OnSubscriptionCanceled",
    "OnAbandonedCheckoutRecoveryAttemptEmailSent",
    "OnAbandonedCheckoutRecoveryAttemptSucceeded",
]
WebhookType = Literal["json_v1", "discord_v1"]


class SubscriptionRequest(Wire, frozen=True):
    url: str
    subscribed_to: WebhookEvent
    type: WebhookType


class SubscriptionChange(Wire, frozen=True):
    url: str
    subscribed_to: WebhookEvent
    reset_secret: bool


class Subscription(Struct, frozen=True, kw_only=True):
    id: str
    url: str
    subscribed_to: WebhookEvent
    type: WebhookType
    secret: str


def new_secret() -> str:
    return f"pnwhsec_{secrets.token_urlsafe(32)}"
