"""A monotonic clock that a test moves."""


class MovedClock:
    """Begins at an uneven time, as real ones do."""

    def __init__(self) -> None:
        self.now = 12_345.678

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
