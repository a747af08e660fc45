"""The examples of the OpenAPI document, one conversation throughout."""

REFERENCE = "cs_01kb2w8z4e6m3q9r7t5v1x0y2a"
SESSION_ID = "OS260101000000042XYZ"
BUYER_KEY = "q3V0b7hX2mN8sR4kT6wY1zA5cE9fG0jL"
TOTAL = {"amount": "44.10", "currency": "EUR", "display": "44,10 €"}
CUSTOMER = {"email": "ada@example.org", "firstName": "Ada", "lastName": "Muster"}

BROWSER_REQUEST = {
    "checkout": "default",
    "items": [{"product": "pro-license", "quantity": 2}],
    "coupon": "SPRING10",
    "customer": CUSTOMER,
    "country": "DE",
    "language": "de",
    "returnUrl": "https://shop.example/thanks",
}

ORDER_REQUEST = {
    "checkout": "default",
    "items": [
        {"product": "pro-license", "quantity": 2, "pricing": {"price": {"EUR": "22.05"}, "quantityBehavior": "lock"}}
    ],
    "customer": CUSTOMER,
    "country": "DE",
    "buyerIp": "8.8.4.4",
    "orderTags": {"campaign": "spring"},
    "externalAccountId": "user_8412",
}

QUOTE_REQUEST = {
    "checkout": "default",
    "order": {
        "items": [{"product": "pro-license", "quantity": 2, "pricing": {"price": {"EUR": "22.05"}}}],
        "externalAccountId": "user_8412",
    },
    "expiresIn": 900,
    "buyerKey": BUYER_KEY,
    "currency": "EUR",
    "once": True,
}
SIGNED_QUOTE = {
    "quote": "eyJhbGciOiJIUzI1NiIsImtpZCI6IjIwMjYtMTEiLCJ0eXAiOiJKV1QifQ.e30.c2lnbmF0dXJl",
    "id": "m3Zk0dQwS8u1TnVb5yXfRgHc",
    "expiresAt": "2026-01-01T10:15:00Z",
}

ITEM = {"product": "team-plan", "quantity": 5}
REPLACEMENT = {"items": [{"product": "pro-license", "quantity": 3}], "customer": CUSTOMER, "coupon": "SPRING10"}
PAYMENT_METHODS = {
    "paymentMethods": [
        {
            "id": "CARD",
            "requiredFieldElements": ["NAME", "EMAIL"],
            "showFieldElements": ["POSTAL_CODE"],
            "supportedProductTypes": ["ONE_TIME", "SUBSCRIPTION_PLAN"],
            "variants": ["VISA", "MASTER_CARD"],
        }
    ],
    "hidePaymentMethods": ["WIRE"],
}

PREVIEW = {
    "request": {
        "method": "POST",
        "url": "https://api.fastspring.com/v2/checkouts/acme/popup-checkout/sessions",
        "headers": {"authorization": "Basic ***", "content-type": "application/json"},
        "body": {"live": True, "country": "DE", "orderTags": {"channel": "web"}, "cart": {"lineItems": []}},
    },
    "fields": [
        {"path": "country", "rule": "request"},
        {"path": "orderTags.channel", "rule": "checkouts.default.order_tags.channel"},
    ],
}

CHECKOUT_ANSWER: dict[str, object] = {
    "reference": REFERENCE,
    "provider": "fastspring_v2",
    "sessionId": SESSION_ID,
    "token": None,
    "checkoutUrl": f"https://acme.onfastspring.com/checkout/session/{SESSION_ID}",
    "opener": {
        "script": {
            "src": "https://sbl.onfastspring.com/sbl/1.0.3/fastspring-builder.min.js",
            "attributes": {"id": "fsc-api", "data-storefront": "acme.onfastspring.com/popup-checkout"},
        },
        "call": "fastspring.builder.checkout",
        "arguments": [SESSION_ID],
        "closed": {"attribute": "data-popup-closed"},
    },
    "live": True,
    "country": "DE",
    "currency": "EUR",
    "total": TOTAL,
    "expiresAt": "2026-01-02T10:00:00Z",
    "reused": False,
    "warnings": [],
}

REUSED_ANSWER = CHECKOUT_ANSWER | {"reused": True}

BROWSER_SESSION = {
    "reference": REFERENCE,
    "state": "completed",
    "order": {"id": "ORD1", "reference": "ACME260101-1234-56789"},
    "returnUrl": "https://shop.example/thanks",
}

RECORD = {
    "reference": REFERENCE,
    "checkout": "default",
    "provider": "fastspring_v2",
    "sessionId": SESSION_ID,
    "state": "open",
    "live": True,
    "country": "DE",
    "currency": "EUR",
    "total": TOTAL,
    "items": [{"product": "pro-license", "quantity": 2}],
    "tags": {"channel": "web", "broker_ref": REFERENCE},
    "caller": None,
    "quote": None,
    "createdAt": "2026-01-01T10:00:00Z",
    "expiresAt": "2026-01-02T10:00:00Z",
    "order": None,
    "alarms": [],
    "timeline": [{"at": "2026-01-01T10:00:00Z", "event": "minted"}],
}

SCRIPT = "// Checkout.open({items: [...]})"
METRICS = 'checkout_requests_total{method="POST",route="/checkout",status="201"} 1.0\n'

CLIENT_IP = {
    "address": "8.8.4.4",
    "source": "header",
    "steps": [
        "peer: 10.0.0.7 is a trusted proxy",
        "header: 10.1.2.3 is a trusted proxy",
        "header: 8.8.4.4 is no trusted proxy, so it is the client",
        "client: public, goes to the provider",
    ],
}
