"""Signed quotes: what a caller lets one buyer have, signed, for a browser to carry."""
