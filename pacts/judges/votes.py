"""What a jury and people say of one answer, and what follows from it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Said = Literal["pass", "fail", "abstain"]
Rule = Literal["majority", "unanimity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """`jury` holds one word of each juror, `people` one of each reviewer. `drawn` says whether
    chance chose the answer for people to read, `probability` how likely that was."""

    jury: tuple[Said, ...] = ()
    people: tuple[Said, ...] = ()
    drawn: bool = False
    probability: float = 1.0


def concluded(jury: Sequence[Said], rule: Rule) -> Said:
    """What a jury says as a whole: more than half of all jurors for `majority`, every one for
    `unanimity`. Abstentions count for neither side, so they can only keep it from saying anything.
    """
    for said in ("pass", "fail"):
        votes = sum(vote == said for vote in jury)
        if jury and (votes == len(jury) if rule == "unanimity" else 2 * votes > len(jury)):
            return "pass" if said == "pass" else "fail"
    return "abstain"


def instrument(said: Said) -> float:
    """A jury's word as a number: 1, 0, or 1/2 where it abstains."""
    return {"pass": 1.0, "fail": 0.0, "abstain": 0.5}[said]


def human_mean(people: Sequence[Said]) -> float | None:
    """The share of passes among the reviewers who decided; None when none did."""
    decided = [said for said in people if said != "abstain"]
    return sum(said == "pass" for said in decided) / len(decided) if decided else None
