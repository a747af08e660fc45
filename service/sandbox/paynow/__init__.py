"""PayNow.gg, played: its management and storefront APIs, its orders and its webhooks."""
