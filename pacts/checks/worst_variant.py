"""worst_variant/1: a task is done right however it is worded.

The unit is the task: x = min over the task as it is and its decided variants of the inner check's
value, so one wording that fails is a failure of the task.
"""

from collections.abc import Mapping, Sequence

from pacts.checks import metamorphic
from pacts.checks.check import Check, Params
from pacts.tries import Outcome, Try


def gathers(params: Params, promise: float, tries: Sequence[Try]) -> float | Outcome:
    """The worst value among the task and its variants."""
    base, varied, missing = metamorphic.split(list(tries))
    return missing or min(each.score for each in (*base, *varied))


def over(plain: Mapping[str, Check]) -> Check:
    """The check around any of the plain ones."""
    return metamorphic.around(
        plain,
        module=__name__,
        kind="worst_variant",
        title="Right in every wording",
        gathers=gathers,
    )
