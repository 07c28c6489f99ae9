"""What an imported run is: tasks tried once or more by one agent, as somebody else recorded them.

No text of a conversation is taken over: what agents, users and attackers wrote in a trajectory is
neither needed for a count nor ours to keep. A number is what the file says, never a guess: a trial
the file calls an error is neither passed nor failed.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from fractions import Fraction
from hashlib import sha256
from math import isfinite
from types import MappingProxyType
from typing import Any

_EXCEPTION = re.compile(r"\b(?:[A-Za-z_]+\.)*[A-Z][A-Za-z]*(?:Error|Exception|Timeout|Interrupt)\b")
_NONE: Mapping[str, Fraction] = MappingProxyType({})
_STATUS = re.compile(r"\b[45][0-9]{2}\b")


class RunsMalformed(ValueError):
    """The file is not of the format it is read as, or it breaks the format's own rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedTrial:
    """One task tried once.

    `score` is in [0, 1] or None where the trial has no outcome (`error` says why). `attack` names
    the attack the trial was under, `attacked` whether that attack reached its goal. `named` holds
    what else the trial was scored on, by name, in [0, 1]. A trial that failed by an error which its
    harness charges to the agent has both a score and an `error`.
    """

    task: str
    repeat: int = 0
    score: Fraction | None
    error: str = ""
    group: str = ""
    attack: str = ""
    attacked: bool | None = None
    seconds: float | None = None
    tokens: int | None = None
    cost_usd: float | None = None
    named: Mapping[str, Fraction] = field(default_factory=dict)

    @property
    def passed(self) -> bool | None:
        """Whether the whole score was reached; None without an outcome."""
        return None if self.score is None else self.score == 1


@dataclass(frozen=True, slots=True)
class Published:
    """A figure the file or its authors state, given to `places` decimals."""

    name: str
    value: Fraction
    places: int = 12

    def agrees(self, computed: Fraction) -> bool:
        """Whether the figure is what the trials add up to, at the precision it was given in."""
        return abs(self.value - computed) <= Fraction(1, 2 * 10**self.places)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedRun:
    """The trials of one agent on one benchmark, and the figures stated beside them.

    `extra` are figures that only the format's own rules add up from the trials; `wrong` says what
    the file states of itself, in counts, and does not show.
    """

    format: str
    benchmark: str
    agent: str
    trials: Sequence[ImportedTrial]
    model: str = ""
    made_at: datetime | None = None
    published: Sequence[Published] = ()
    # Of runs repeated on different days, how many of the latest count in the published share.
    latest: int | None = None
    extra: Mapping[str, Fraction] = field(default_factory=dict)
    wrong: Sequence[str] = ()
    notes: Sequence[str] = ()

    def by_task(self, *, attacked: bool | None = None) -> dict[str, list[ImportedTrial]]:
        """Trials by task, in the order of their repeats; `attacked` keeps one kind only."""
        found: dict[str, list[ImportedTrial]] = defaultdict(list)
        for trial in self.trials:
            if attacked is None or bool(trial.attack) == attacked:
                found[trial.task].append(trial)
        return {
            task: sorted(trials, key=lambda trial: trial.repeat) for task, trials in found.items()
        }


@dataclass(slots=True)
class Numbering:
    """Which repeat of its task a trial is, where a file does not number them."""

    seen: dict[tuple[str, ...], int] = field(default_factory=lambda: defaultdict(int))

    def next(self, *key: str) -> int:
        """0 for the first trial of a task, then 1, 2, …"""
        number = self.seen[key]
        self.seen[key] += 1
        return number


def mapping(value: object, what: str) -> Mapping[str, Any]:
    """A JSON object. Raises RunsMalformed."""
    if not isinstance(value, dict):
        raise RunsMalformed(f"{what} is not an object")
    return value


def sequence(value: object, what: str) -> list[Any]:
    """A JSON array. Raises RunsMalformed."""
    if not isinstance(value, list):
        raise RunsMalformed(f"{what} is not a list")
    return value


def share(value: object, what: str) -> Fraction:
    """A score from 0 to 1, exactly as the decimal in the file. Raises RunsMalformed."""
    if isinstance(value, bool):
        return Fraction(int(value))
    if not isinstance(value, int | float) or not isfinite(value):
        raise RunsMalformed(f"{what} is {value!r}, not a number")
    exact = Fraction(str(value))
    if not 0 <= exact <= 1:
        raise RunsMalformed(f"{what} is {value!r}: a score is from 0 to 1")
    return exact


def some_share(value: object) -> Fraction | None:
    """A score from 0 to 1, or None for whatever is none."""
    if not isinstance(value, bool | int | float) or not isfinite(value) or not 0 <= value <= 1:
        return None
    return Fraction(int(value)) if isinstance(value, bool) else Fraction(str(value))


def number(value: object) -> float | None:
    """A finite number not below zero, or None where the file has none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) and value >= 0 else None


def whole(value: object) -> int | None:
    """A whole number not below zero, or None where the file has none."""
    found = number(value)
    return None if found is None or found > 2**53 else int(found)


def text(value: object, longest: int = 200) -> str:
    """A name in one printable line; "" for what is no text or number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    kept = "".join(char if char.isprintable() else " " for char in str(value))
    return " ".join(kept.split())[:longest]


def label(value: object) -> str:
    """The name of a task: as `text`, but what is cut off still tells two tasks apart."""
    whole_name = text(value, 20_000)
    if len(whole_name) <= 200:
        return whole_name
    return f"{whole_name[:180]}… {sha256(whole_name.encode()).hexdigest()[:16]}"


def kind_of_error(value: object, otherwise: str) -> str:
    """What went wrong, by the name of its exception or its HTTP status and no word more: messages
    quote prompts and answers. `otherwise` where there is neither; "" where nothing is said."""
    said = text(value, 10_000)
    if not said:
        return ""
    named = _EXCEPTION.search(said)
    status = _STATUS.search(said)
    return named[0][:80] if named else f"HTTP {status[0]}" if status else otherwise


def moment(value: object, zone: tzinfo = UTC) -> datetime | None:
    """An ISO 8601 time or milliseconds since 1970, or None; without an offset it is UTC."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, zone)
        read = datetime.fromisoformat(str(value))
        return read if read.tzinfo else read.replace(tzinfo=zone)
    except (ValueError, OverflowError, OSError):
        return None


def total(value: object) -> float | None:
    """A number, or the sum of a list of lists of numbers; None where there is none."""
    if not isinstance(value, list):
        return number(value)
    found = [part for part in map(total, value) if part is not None]
    return sum(found) if found else None
