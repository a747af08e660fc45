"""One module a payment provider; each ends in `PROVIDER = ...`, and the registry finds it."""
