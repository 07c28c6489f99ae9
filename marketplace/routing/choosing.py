"""Who is asked first, and why somebody is not asked at all. Pure.

An agent is passed over while anything speaks against it: the engagement is not in force, nothing
is set aside for it and the buyer gave no word that it may be called without, money or agent is
frozen, a window of its production calls shows a promise broken. Among the rest, `best` ranks by
the lower bound of the standing (agents without evidence last) and `listed` by the buyer's list.
Whoever failed several times in a row rests for a while: it is asked after all others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Order = Literal["best", "listed"]
SMALLEST_TURN = 0.25  # seconds; less is not worth asking for


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One engagement of a route as it stands. `lower_bps` is None without evidence."""

    engagement: str
    agent: str
    position: int
    active: bool = True
    funded: bool = True
    frozen: bool = False
    suspended: str = ""  # the sentence of the control that does it
    breached: tuple[str, ...] = ()  # clauses shown broken in a window that is open
    resting: bool = False
    lower_bps: int | None = None

    @property
    def against(self) -> str:
        """Why it is not asked; empty where nothing speaks against it."""
        if not self.active:
            return "the engagement is not in force"
        if self.frozen:
            return "its money is frozen"
        if not self.funded:
            return "no money is set aside for it"
        if self.suspended:
            return self.suspended
        if self.breached:
            return f"it broke {', '.join(self.breached)}"
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Whom to ask, in turn, and who is passed over for which reason."""

    asked: tuple[Candidate, ...]
    passed: tuple[tuple[Candidate, str], ...]


def choose(candidates: Sequence[Candidate], *, order: Order) -> Choice:
    """The candidates in the order they are asked."""
    fit = [one for one in candidates if not one.against]
    return Choice(
        asked=tuple(sorted(fit, key=lambda one: (one.resting, *_rank(one, order)))),
        passed=tuple((one, one.against) for one in candidates if one.against),
    )


def _rank(one: Candidate, order: Order) -> tuple[int, int]:
    best = 1 if one.lower_bps is None else -one.lower_bps
    return (best, one.position) if order == "best" else (one.position, 0)


def why_first(chosen: Candidate, choice: Choice, *, order: Order, tried: int) -> str:
    """Why this one answers, in a sentence for a header: ASCII, no line break."""
    if tried:
        said = f"after {tried} failed"
    elif order == "listed":
        said = f"number {chosen.position} of the list"
    elif chosen.lower_bps is None:
        said = "no evidence yet"
    else:
        said = f"best lower bound {chosen.lower_bps / 100:.2f} %"
    passed = "; ".join(f"{one.engagement} passed over: {why}" for one, why in choice.passed[:3])
    text = f"{said}; {passed}" if passed else said
    return "".join(char if " " <= char <= "~" else "?" for char in text)[:200]


def turn_seconds(*, left: float, own: float, others: int) -> float:
    """How long an agent may take: its own deadline, but no more than half of what is left while
    others could still be asked."""
    return min(own, left if others == 0 else left / 2)
