"""Where the marks of a chart go, in the units of its SVG's viewBox. Drawn by templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marketplace.pages.rates import Rate

WIDTH = 1000
ROW = 100


@dataclass(frozen=True, slots=True)
class IntervalPlot:
    """An interval on a track from 0 to 100 %. Positions are 0 to WIDTH."""

    band: tuple[int, int]  # left end and width
    dot: int
    promise: int | None
    floor: int | None


@dataclass(frozen=True, slots=True)
class Slope:
    """One agent's way from its place in the left order to its place in the right one."""

    path: str
    rises: bool


def interval_plot(rate: Rate) -> IntervalPlot | None:
    """The plot of one rate; None where there is no number. The scale is 0 to 100 % for every
    rate, so that two bars can be compared by eye."""
    if rate.estimate is None or rate.low is None or rate.high is None:
        return None
    left, right = _place(rate.low), _place(rate.high)
    return IntervalPlot(
        band=(left, max(right - left, 6)),
        dot=_place(rate.estimate),
        promise=None if rate.promise is None else _place(rate.promise),
        floor=None if rate.floor is None else _place(rate.floor),
    )


def slopes(left: Sequence[str], right: Sequence[str]) -> list[Slope]:
    """Curves from each name's row on the left to its row on the right, falling ones first so
    that rising ones are drawn over them. Names missing on the right are left out."""
    places: Mapping[str, int] = {name: place for place, name in enumerate(right)}
    drawn = [_slope(row, places[name]) for row, name in enumerate(left) if name in places]
    return sorted(drawn, key=lambda slope: slope.rises)


def _slope(before: int, after: int) -> Slope:
    start, end = before * ROW + ROW // 2, after * ROW + ROW // 2
    return Slope(path=f"M0 {start}C50 {start} 50 {end} 100 {end}", rises=after < before)


def _place(bps: int) -> int:
    return round(min(max(bps, 0), 10_000) * WIDTH / 10_000)


@dataclass(frozen=True, slots=True)
class Trace:
    """A line through a figure's history, oldest left, on a field of 100 by 24."""

    points: str
    least: int
    most: int


def trace(values: Sequence[int | None]) -> Trace | None:
    """The line of what is known; None under two values. The scale is the values' own."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    least, most = min(known), max(known)
    width, height = 100 / (len(known) - 1), 20 / max(most - least, 1)
    places = (f"{n * width:.1f},{22 - (v - least) * height:.1f}" for n, v in enumerate(known))
    return Trace(points=" ".join(places), least=least, most=most)
