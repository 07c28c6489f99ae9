"""solved_within/1: given k tries, at least one is right (pass@k).

The clause's unit is the task and its `repeats` k is at least 2: of n decided tries with c passes, a
task scores 1 − C(n − c, k) / C(n, k), unbiased for the chance that k tries hold a right one (Chen
et al., "Evaluating Large Language Models Trained on Code", 2021). Fewer than k decided tries make
the task null. Its strict sister, all k right, is consistency/1 (pass^k).
"""

from collections.abc import Mapping

from pacts.checks import wrapped
from pacts.checks.check import Call, Check, Fixture
from reputation.canonical import JsonValue

PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": wrapped.INNER,
    "required": ["check"],
    "additionalProperties": False,
}
_EXAMPLE: dict[str, JsonValue] = {"check": "equality", "params": {"field": "answer"}}


def over(plain: Mapping[str, Check]) -> Check:
    """The check around any of the plain ones; `pacts.units` turns its tries into pass@k."""
    return Check(
        kind="solved_within",
        version=1,
        title="Solved within a few tries",
        params_schema=PARAMS,
        decide=wrapped.decide(plain, __name__),
        excuse=wrapped.excuse(plain),
        refusal=wrapped.refusal(plain),
        vacuity=wrapped.vacuity(plain),
        needs_repeats=True,
        good=(Fixture(params=_EXAMPLE, call=Call(expected={"answer": 1}, output={"answer": 1})),),
        bad=(Fixture(params=_EXAMPLE, call=Call(expected={"answer": 1}, output={"answer": 2})),),
    )
