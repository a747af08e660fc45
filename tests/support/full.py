"""Whether a run is one of those in full, with the figures that only an idle machine can show."""

import os

IN_FULL = "1" in {os.environ.get("FUZZ"), os.environ.get("CHAOS")}
"""`make fuzz` and `make chaos`."""
