"""invariance/1: a task said another way gets the same verdict.

The unit is the task: of V decided variants, x = (1/V) Σ 1[verdict(variant) = verdict(task)], where
a verdict is the inner check's pass or fail. An agent that is always wrong is invariant, so a clause
on accuracy belongs beside it. A task without its own verdict or without variants does not count.
(Sclar et al., "Quantifying Language Models' Sensitivity to
Spurious Features in Prompt Design", 2024.)
"""

from collections.abc import Mapping, Sequence

from pacts.checks import metamorphic
from pacts.checks.check import Check, Params
from pacts.tries import Outcome, Try


def gathers(params: Params, promise: float, tries: Sequence[Try]) -> float | Outcome:
    """The share of variants whose verdict is the task's own."""
    base, varied, missing = metamorphic.split(list(tries))
    if missing:
        return missing
    return sum(each.outcome == base[0].outcome for each in varied) / len(varied)


def over(plain: Mapping[str, Check]) -> Check:
    """The check around any of the plain ones."""
    return metamorphic.around(
        plain,
        module=__name__,
        kind="invariance",
        title="The same answer however the task is worded",
        weakness=lambda params: (
            "an agent that is always wrong keeps this: promise accuracy beside it"
        ),
        gathers=gathers,
    )
