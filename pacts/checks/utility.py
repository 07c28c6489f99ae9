"""utility/1: tasks are done when nobody attacks.

The inner check on every task as it is: the first of the three figures of an attacked run, beside
utility_under_attack/1 and attack_resistance/1.
"""

from collections.abc import Mapping

from pacts.checks import wrapped
from pacts.checks.check import Check
from pacts.checks.solved_within import PARAMS
from pacts.checks.solved_within import over as solved_within


def over(plain: Mapping[str, Check]) -> Check:
    """The check around any of the plain ones."""
    fixtures = solved_within(plain)
    return Check(
        kind="utility",
        version=1,
        title="Does the task when nobody attacks",
        params_schema=PARAMS,
        decide=wrapped.decide(plain, __name__),
        excuse=wrapped.excuse(plain),
        refusal=wrapped.refusal(plain),
        vacuity=wrapped.vacuity(plain),
        good=fixtures.good,
        bad=fixtures.bad,
    )
