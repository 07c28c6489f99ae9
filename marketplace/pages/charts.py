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
class VersionMark:
    """Where an agent version's part of a line begins."""

    x: str
    label_x: str
    number: int | None


@dataclass(frozen=True, slots=True)
class Trace:
    """A figure's history, oldest left, on a field of 240 by 52: a line for each agent version,
    because a new one starts anew, a mark where it begins, and a dot at the newest value."""

    lines: tuple[str, ...]
    marks: tuple[VersionMark, ...]
    dot: tuple[str, str]
    least: int
    most: int
    known: int


def trace(values: Sequence[tuple[int | None, int | None]]) -> Trace | None:
    """Pairs of an agent version's number and the figure then; None where nothing was ever known.

    The scale is the values' own. What was unknown leaves a gap, not a zero.
    """
    known = [value for _, value in values if value is not None]
    if not known:
        return None
    least, most = min(known), max(known)
    step, height = 228 / max(len(values) - 1, 1), 28 / max(most - least, 1)
    lines: list[list[str]] = []
    marks: list[VersionMark] = []
    dot, before = ("", ""), object()
    for place, (number, value) in enumerate(values):
        x = f"{6 + place * step:.1f}"
        if number != before:
            marks.append(VersionMark(x, f"{min(6 + place * step, 226):.1f}", number))
            lines.append([])
            before = number
        if value is not None:
            y = f"{34 - (value - least) * height:.1f}"
            lines[-1].append(f"{x},{y}")
            dot = (x, y)
    drawn = tuple(" ".join(line) for line in lines if line)
    return Trace(drawn, tuple(marks), dot, least, most, len(known))
