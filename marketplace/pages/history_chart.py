"""A standing over time: what is proven and what was measured, with marks where versions begin.

Positions are those of a viewBox WIDTH by HEIGHT. A new version starts anew, so its line does too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

WIDTH, HEIGHT = 400, 150
LEFT, RIGHT, TOP, BOTTOM = 30, 392, 12, 124
STEP = 1_000  # basis points between lines of the grid, where there is room for them
CLOSEST = 26  # between marks that are written, so that they never touch


@dataclass(frozen=True, slots=True)
class Reading:
    """A standing as it was at a moment, in basis points; None where no number was shown."""

    at: datetime
    version: int | None
    lower: int | None
    measured: int | None
    breached: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """Where something begins, and its name; empty where there is no room for one."""

    x: str
    label: str
    anchor: str = "start"


@dataclass(frozen=True, slots=True)
class Level:
    """A line of the grid."""

    y: str
    bps: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """One version's part: what is proven, what was measured, and what lies between."""

    lower: str
    measured: str
    band: str


@dataclass(frozen=True, slots=True)
class History:
    """The picture."""

    stretches: tuple[Stretch, ...]
    versions: tuple[Mark, ...]
    levels: tuple[Level, ...]
    broken: tuple[tuple[str, str], ...]
    dot: tuple[str, str]
    first: datetime
    last: datetime


def history(readings: Sequence[Reading]) -> History | None:
    """The picture of these readings by their moments; None until there are two with a number."""
    known = [one for one in readings if one.lower is not None and one.measured is not None]
    known.sort(key=lambda one: one.at)
    if len(known) < 2:
        return None
    first, last = known[0].at, known[-1].at
    least = _base(min(one.lower or 0 for one in known))
    spans = (last - first).total_seconds() or 1.0

    def place(one: Reading, bps: int | None) -> tuple[float, float]:
        x = LEFT + (RIGHT - LEFT) * (one.at - first).total_seconds() / spans
        return x, _height(bps or 0, least)

    parts = [list(part) for _, part in groupby(known, key=lambda one: one.version)]
    dot = place(known[-1], known[-1].lower)
    return History(
        stretches=tuple(
            _stretch([(place(o, o.lower), place(o, o.measured)) for o in part]) for part in parts
        ),
        versions=_marks([(place(part[0], 0)[0], part[0].version) for part in parts]),
        levels=tuple(
            Level(f"{_height(bps, least):.1f}", bps) for bps in _levels(least) if bps <= 10_000
        ),
        broken=tuple(_written(place(one, one.lower)) for one in known if one.breached),
        dot=_written(dot),
        first=first,
        last=last,
    )


def _base(least: int) -> int:
    """The foot of the scale: round, and far enough under the least that it is seen to fall."""
    return max((least - STEP // 2) // STEP * STEP, 0)


def _levels(least: int) -> range:
    step = STEP if 10_000 - least <= 4 * STEP else 5 * STEP // 2
    return range(least, 10_001, step)


def _height(bps: int, least: int) -> float:
    return BOTTOM - (BOTTOM - TOP) * (bps - least) / (10_000 - least)


def _stretch(places: Sequence[tuple[tuple[float, float], tuple[float, float]]]) -> Stretch:
    lower, measured = [low for low, _ in places], [high for _, high in places]
    return Stretch(_points(lower), _points(measured), _points([*lower, *reversed(measured)]))


def _marks(places: Sequence[tuple[float, int | None]]) -> tuple[Mark, ...]:
    made, free = [], 0.0
    for x, number in places:
        has_room = x >= free
        free = x + CLOSEST if has_room else free
        anchor = "end" if x > RIGHT - CLOSEST else "start"
        made.append(Mark(f"{x:.1f}", f"v{number or '?'}" if has_room else "", anchor))
    return tuple(made)


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(",".join(_written(place)) for place in places)


def _written(place: tuple[float, float]) -> tuple[str, str]:
    return f"{place[0]:.1f}", f"{place[1]:.1f}"
