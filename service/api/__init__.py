"""The HTTP edge; with `app.py` the only part that knows Litestar."""
