"""Figures that do not live in [0, 1] of themselves, carried there and back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """A range [low, high]. Verdicts are reached in [0, 1]; people read the figure itself.

    A bound on the mean is a bound on the mean of the carried figures: carrying is linear.
    """

    low: float = 0.0
    high: float = 1.0

    def inward(self, figure: float) -> float:
        """Into [0, 1]; what rounding pushed out of the range is put back at its edge."""
        return min(1.0, max(0.0, (figure - self.low) / (self.high - self.low)))

    def outward(self, carried: float) -> float:
        """Back to the figure people read."""
        return self.low + carried * (self.high - self.low)


PLAIN = Scale()
