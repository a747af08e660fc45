"""Pieces that keep a failing dependency from taking the service with it: pure asyncio, no I/O of their own."""
