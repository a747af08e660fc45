"""Texts and ids of limited shape, as members of a request may have them."""

from typing import Annotated

from msgspec import Meta

# `$(?!\n)`: in Python `$` alone would let a trailing line end pass.
PRINTABLE = r"^[^\x00-\x1f\x7f]*$(?!\n)"
Text50 = Annotated[str, Meta(max_length=50, pattern=PRINTABLE)]
Text64 = Annotated[str, Meta(max_length=64, pattern=PRINTABLE)]
Text255 = Annotated[str, Meta(max_length=255, pattern=PRINTABLE)]
Text256 = Annotated[str, Meta(max_length=256, pattern=PRINTABLE)]
Text512 = Annotated[str, Meta(max_length=512)]
Url = Annotated[str, Meta(max_length=2048, pattern=PRINTABLE, examples=["https://shop.example/thanks"])]
Key = Annotated[str, Meta(min_length=1, max_length=64, pattern=PRINTABLE)]
StringMap = Annotated[dict[Key, Annotated[str, Meta(max_length=1000, pattern=PRINTABLE)]], Meta(max_length=64)]
FlakeId = Annotated[str, Meta(pattern=r"^([0-9]{1,19})?$(?!\n)", examples=["411486491630370816"])]
