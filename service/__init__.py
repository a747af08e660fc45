"""checkout-broker: one contract over every merchant of record's checkout sessions."""

__version__ = "0.1.0"
