"""Where the ribbons of a picture of money go: sums on the left, sums on the right, one between.

Each sum has a row of its own beside the picture, so that its words are text; the picture joins the
rows and is stretched to their height. Units are those of a viewBox 100 wide and ROW high a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass

ROW = 100
THICKEST = 86  # of a ribbon, so that neighbours never touch
THINNEST = 3  # so that a cent is seen beside a fortune


@dataclass(frozen=True, slots=True)
class Sum:
    """One end of a ribbon: what it is, and how much, above zero."""

    name: str
    amount: int
    tone: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Ribbon:
    """The outline of one ribbon, and its tone."""

    path: str
    tone: str


@dataclass(frozen=True, slots=True)
class Flow:
    """A picture of money in one currency; both sides add up to `total`."""

    currency: str
    title: str
    total: int
    left: tuple[Sum, ...]
    right: tuple[Sum, ...]
    ribbons: tuple[Ribbon, ...]
    height: int
    top: float
    bar: float


def flow(*, title: str, currency: str, left: Sequence[Sum], right: Sequence[Sum]) -> Flow | None:
    """The picture of what came from `left` and went `right`; None where nothing moved.

    Raises ValueError where the sides differ: money neither appears nor vanishes in a picture.
    """
    left, right = _above_zero(left), _above_zero(right)
    total = sum(one.amount for one in left)
    if total != sum(one.amount for one in right):
        raise ValueError(f"{title}: {total} came in, {sum(one.amount for one in right)} went out")
    if not total:
        return None
    height = max(len(left), len(right)) * ROW
    scale = min(0.7 * height, THICKEST / max(one.amount for one in (*left, *right)) * total)
    bar = scale
    top = (height - bar) / 2
    ribbons = [
        *_side(left, height=height, top=top, bar=bar, total=total, ends=(0, 47)),
        *_side(right, height=height, top=top, bar=bar, total=total, ends=(100, 53)),
    ]
    return Flow(currency, title, total, left, right, tuple(ribbons), height, top, bar)


def _above_zero(sums: Sequence[Sum]) -> tuple[Sum, ...]:
    return tuple(one for one in sums if one.amount > 0)


def _side(
    sums: Sequence[Sum], *, height: int, top: float, bar: float, total: int, ends: tuple[int, int]
) -> list[Ribbon]:
    """Ribbons from the middles of the rows at `ends[0]` to their places on the bar at `ends[1]`."""
    made, place, first = [], top, (height - len(sums) * ROW) / 2
    for row, one in enumerate(sums):
        thick = bar * one.amount / total
        shown = max(thick, THINNEST)
        middle = first + row * ROW + ROW / 2
        near, far = middle - shown / 2, place + thick / 2 - shown / 2
        made.append(Ribbon(_outline(ends, near, far, shown), one.tone))
        place += thick
    return made


def _outline(ends: tuple[int, int], near: float, far: float, thick: float) -> str:
    start, end = ends
    bend = (start + end) // 2
    return (
        f"M{start} {near:.1f}C{bend} {near:.1f} {bend} {far:.1f} {end} {far:.1f}"
        f"V{far + thick:.1f}C{bend} {far + thick:.1f} {bend} {near + thick:.1f}"
        f" {start} {near + thick:.1f}Z"
    )
