"""Figures with their bars, for people and for programs."""

import json
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A ratio and the bar it is held to: at least the bar, or with `at_most` at most."""

    name: str
    value: float
    bar: float
    at_most: bool = False

    @property
    def holds(self) -> bool:
        return self.value <= self.bar if self.at_most else self.value >= self.bar

    def __str__(self) -> str:
        sign = "≤" if self.at_most else "≥"
        verdict = "reached" if self.holds else "MISSED"
        return f"{self.name:<16} {self.value:5.2f}   {sign} {self.bar}   {verdict}"


def as_json(figures: Iterable[Figure]) -> str:
    """One line: `{figure: {"value": ratio, "bar": bar}}`."""
    return json.dumps(
        {figure.name: {"value": round(figure.value, 3), "bar": figure.bar} for figure in figures}
    )
