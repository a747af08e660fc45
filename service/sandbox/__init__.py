"""The providers, played for development and tests: strict, with faults on demand and signed webhooks."""
