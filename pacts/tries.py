"""One check's answer on one trial, as a verdict reads it."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["pass", "fail", "error", "skipped", "not_applicable", "null", "stopped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One check's answer on one trial of one task; `null` is a trial that came to nothing through
    no fault of the agent, `stopped` one that the run ended before. `value` is in [0, 1]; None
    stands for 1 on pass and 0 on fail. `variant` says how the task was varied (`pacts.variants`),
    empty for the task as it is."""

    task: str
    outcome: Outcome
    value: float | None = None
    variant: str = ""

    @property
    def decided(self) -> bool:
        return self.outcome in ("pass", "fail")

    @property
    def score(self) -> float:
        """The value of a deciding try."""
        if self.value is not None:
            return self.value
        return 1.0 if self.outcome == "pass" else 0.0


def gravest(tries: "list[Try] | tuple[Try, ...]") -> Outcome:
    """What kept a unit from deciding: null, error, skipped or not applicable, in this order."""
    outcomes = {each.outcome for each in tries}
    order: tuple[Outcome, ...] = ("null", "error", "skipped", "not_applicable")
    return next((outcome for outcome in order if outcome in outcomes), "null")
