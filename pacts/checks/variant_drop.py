"""variant_drop/1: wording a task another way costs at most a small share of its score.

The promise is 1 − d, the share of the score that survives. The unit is the task, with x_base its
value as it is and x_var the mean over its decided variants: y = (x_var − (1−d)·x_base + (1−d)) /
(2−d) lies in [0, 1], and "no more than d is lost on average" is "the mean of y is at least
(1−d)/(2−d)". Shown is y·(2−d): the surviving score where the task itself is always right. The floor
is carried in the same way, so it bounds the loss in points below the promise's own line.
"""

from collections.abc import Mapping, Sequence

from pacts.checks import metamorphic
from pacts.checks.check import Check, Params
from pacts.scales import Scale
from pacts.tries import Outcome, Try


def scale(params: Params, promise: float) -> Scale:
    """[0, 2 − d] for a promise of 1 − d."""
    return Scale(low=0.0, high=1.0 + promise)


def gathers(params: Params, promise: float, tries: Sequence[Try]) -> float | Outcome:
    """y: what survives, against what was promised to."""
    base, varied, missing = metamorphic.split(list(tries))
    if missing:
        return missing
    x_base = sum(each.score for each in base) / len(base)
    x_var = sum(each.score for each in varied) / len(varied)
    return scale(params, promise).inward(x_var - promise * x_base + promise)


def over(plain: Mapping[str, Check]) -> Check:
    """The check around any of the plain ones."""
    return metamorphic.around(
        plain,
        module=__name__,
        kind="variant_drop",
        title="Little is lost when the task is worded another way",
        weakness=lambda params: (
            "an agent that is always wrong loses nothing: promise accuracy beside it"
        ),
        gathers=gathers,
        scale=scale,
        planned="where the task as it is worded is always right",
    )
