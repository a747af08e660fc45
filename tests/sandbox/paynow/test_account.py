"""What the played PayNow remembers."""

from service.sandbox.paynow.account import KEPT_ENTRIES, keep


def test_oldest_entry_goes() -> None:
    """A long run does not grow for ever: past the limit each new entry ends the oldest."""
    entries = {str(number): number for number in range(KEPT_ENTRIES)}
    keep(entries, "new", -1)

    assert (KEPT_ENTRIES, "1", "new") == (len(entries), next(iter(entries)), next(reversed(entries)))
