"""Whether an engagement's clocks fit: how long money may be held at the very longest.

Pure. A path is the work and its evaluation, then for each revision the window it may begin in and
as much again, then the last window (acceptance, cure, or one more for evidence, whichever is
longest), at whose very end a dispute may still be opened and wait for its backstop.
"""

from dataclasses import dataclass

DAY = 24 * 3600
LONGEST_TIMER = 366 * DAY
MOST_REVISIONS = 10


@dataclass(frozen=True, slots=True)
class Timers:
    """Every clock of an engagement, in seconds."""

    work_seconds: int = DAY
    evaluation_seconds: int = DAY
    acceptance_seconds: int = 3 * DAY
    cure_seconds: int = 3 * DAY
    funding_seconds: int = 3 * DAY

    def unfit(self) -> str | None:
        """What is wrong with a clock by itself, or None."""
        if min(self.work_seconds, self.evaluation_seconds, self.funding_seconds) < 1:
            return "the work, the evaluation and the funding need at least one second each"
        if min(self.acceptance_seconds, self.cure_seconds) < 0:
            return "a period cannot be shorter than nothing"
        longest = max(
            *(self.work_seconds, self.evaluation_seconds, self.acceptance_seconds),
            *(self.cure_seconds, self.funding_seconds),
        )
        if longest > LONGEST_TIMER:
            return f"no period is longer than {in_days(LONGEST_TIMER)}; one here has {longest} s"
        return None


@dataclass(frozen=True, slots=True)
class Path:
    """The longest way money can take from funding to its outcome, in seconds."""

    delivery: int  # work and evaluation
    revisions: int
    revision: int  # the window a revision may begin in, and its own delivery
    last_window: int
    dispute: int

    @property
    def seconds(self) -> int:
        return self.delivery + self.revisions * self.revision + self.last_window + self.dispute

    def __str__(self) -> str:
        """The arithmetic, for people: what is added up, and what it comes to."""
        return (
            f"work and evaluation {in_days(self.delivery)}"
            f" + {self.revisions} × a revision {in_days(self.revision)}"
            f" + the last window {in_days(self.last_window)}"
            f" + a dispute {in_days(self.dispute)} = {in_days(self.seconds)}"
        )


def longest_path(*, timers: Timers, max_revisions: int, dispute_seconds: int) -> Path:
    """How long money may be held if everything takes as long as it may."""
    delivery = timers.work_seconds + timers.evaluation_seconds
    window = max(timers.cure_seconds, timers.evaluation_seconds)
    return Path(
        delivery=delivery,
        revisions=max_revisions,
        revision=window + delivery,
        last_window=max(window, timers.acceptance_seconds),
        dispute=dispute_seconds,
    )


def in_days(seconds: int) -> str:
    """Days where they are whole, else hours where they are, else seconds."""
    for unit, name in ((DAY, "d"), (3600, "h")):
        if seconds % unit == 0:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"
