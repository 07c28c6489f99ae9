"""consistency/1: the same task is answered correctly every time it is tried.

One call is decided as by equality/1. The clause's unit is the task and its `repeats` k is at least
2: of n tries with c correct, a task scores C(c, k) / C(n, k), the unbiased estimate that k tries in
a row are all correct (pass^k); the clause is judged on the mean over tasks.
"""

from pacts.checks import equality
from pacts.checks.check import Answer, Call, Check, Params


def decide(params: Params, call: Call) -> Answer:
    """One try, as equality/1; the verdict turns tries into pass^k."""
    return equality.decide(params, call)


CHECK = Check(
    kind="consistency",
    version=1,
    title="Right every time it is asked",
    params_schema=equality.PARAMS,
    decide=decide,
    excuse=equality.out_of_scope,
    weakness=equality.lenient,
    good=equality.GOOD,
    bad=equality.BAD,
    needs_repeats=True,
    neighbours={"equality": "looks at each try alone", "solved_within": "wants one try to succeed"},
    also_called=("pass_hat_k", "reliability"),
)
