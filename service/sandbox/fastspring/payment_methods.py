"""The ways to pay that a checkout offers in a country, in the order that was asked for."""

from collections.abc import Mapping

from service.sandbox.documents import Document
from service.sandbox.fastspring.wire import SessionRequest

EVERYWHERE = ("CARD", "PAYPAL", "APPLE_PAY", "GOOGLE_PAY")
BY_COUNTRY: Mapping[str, tuple[str, ...]] = {
    "US": ("AMAZON", "ACH", "WIRE"),
    "DE": ("SEPA", "KLARNA", "WIRE"),
    "AT": ("SEPA", "KLARNA", "WIRE"),
    "NL": ("IDEAL", "SEPA", "WIRE"),
    "BR": ("PIX",),
    "CN": ("ALIPAY", "WECHAT_PAY"),
    "IN": ("UPI",),
    "KR": ("KAKAOPAY", "TOSS"),
}
DESCRIPTIONS: Mapping[str, str] = {
    "CARD": "Credit or debit card",
    "PAYPAL": "PayPal",
    "APPLE_PAY": "Apple Pay",
    "GOOGLE_PAY": "Google Pay",
    "AMAZON": "Amazon Pay",
    "ACH": "Bank account (ACH)",
    "WIRE": "Wire transfer",
    "SEPA": "SEPA direct debit",
    "KLARNA": "Klarna",
    "IDEAL": "iDEAL",
}
ONE_TIME_ONLY = frozenset({"WIRE", "KLARNA", "IDEAL", "PIX"})


def offered(request: SessionRequest, country: str) -> list[str]:
    """What is asked for and not available is dropped without a word; what is not asked for comes after."""
    available = [*EVERYWHERE, *BY_COUNTRY.get(country, ("WIRE",))]
    asked = [method for method in dict.fromkeys(request.payment_methods_order) if method in available]
    rest = [method for method in available if method not in asked]
    return [method for method in (*asked, *rest) if method not in request.hide_payment_methods]


def described(method: str, *, lower_case: bool) -> Document:
    return {
        "id": method.lower() if lower_case else method,
        "description": DESCRIPTIONS.get(method, method.replace("_", " ").capitalize()),
        "requiredFieldElements": required_fields(method),
        "showFieldElements": [*required_fields(method), "COMPANY"],
        "supportedProductTypes": ["ONE_TIME"] if method in ONE_TIME_ONLY else ["ONE_TIME", "SUBSCRIPTION_PLAN"],
        "variants": ["VISA", "MASTER_CARD", "AMEX", "DISCOVER"] if method == "CARD" else [],
    }


def required_fields(method: str) -> list[str]:
    return ["NAME", "EMAIL", *([method] if method in {"CARD", "ACH", "SEPA"} else [])]
