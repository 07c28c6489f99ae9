"""judged_anchored/1: a jury's findings, held to people's by a random audit.

A share `review_bps` (π) of the answers, drawn by chance before anybody saw them, is read by blinded
people. With J the jury's word (1 pass, 0 fail, 1/2 nothing), Y the people's mean and ξ whether it
was drawn, z = J + (ξ/π)(Y − J) has the mean of Y whatever the jury's error is. z lies in
[1 − 1/π, 1/π]; the verdict is reached on u = (z − low)/(high − low), promise and floor carried the
same way. Of production calls the jury hears a share `call_bps`, and people read the share
`review_bps` of what it hears. (The difference estimator of Horvitz and Thompson, 1952.)
"""

from pacts.checks import judged
from pacts.checks.check import Answer, Call, Check, Fixture, Params, error, failed, passed
from pacts.checks.equality import out_of_scope
from pacts.judges.votes import Votes, concluded, human_mean, instrument
from pacts.scales import Scale
from reputation.canonical import JsonValue

SHARE: dict[str, JsonValue] = {"type": "integer", "minimum": 100, "maximum": 10_000}
PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "jury": judged.JURY,
        "rule": judged.RULE,
        "review_bps": SHARE,
        "call_bps": judged.HEARD,
    },
    "required": ["jury", "rule", "review_bps"],
    "additionalProperties": False,
}


def share(params: Params) -> float:
    """π, the share of answers that people read."""
    bps = params.get("review_bps")
    return bps / 10_000 if isinstance(bps, int) else 1.0


def scale(params: Params, promise: float) -> Scale:
    """[1 − 1/π, 1/π]."""
    return audited_range(share(params))


def audited_range(probability: float) -> Scale:
    """Where z can lie for an audit of this share."""
    return Scale(low=1 - 1 / probability, high=1 / probability)


def audited(judge: float, people: float | None, probability: float) -> float:
    """z: the jury's word, corrected where people read the answer (None: they did not)."""
    return judge if people is None else judge + (people - judge) / probability


def decide(params: Params, call: Call) -> Answer:
    """u, the corrected finding carried into [0, 1]; it counts as its value, not as its outcome."""
    votes = call.votes or Votes()
    found = instrument(concluded(votes.jury, judged.rule_of(params)))
    people = human_mean(votes.people) if votes.drawn else None
    if votes.drawn and people is None:
        return error("it was drawn for people to read, and none of them decided", "platform")
    value = scale(params, 0).inward(audited(found, people, share(params)))
    seen = f"the jury: {judged.tally(votes.jury)}" + ("; people read it" if votes.drawn else "")
    better = (found if people is None else people) >= 0.5
    return (passed if better else failed)(seen, value)


EXAMPLE: dict[str, JsonValue] = {**judged.EXAMPLE, "review_bps": 2000}
_KEPT = Votes(jury=("pass", "pass", "fail"))
_OVERTURNED = Votes(jury=("pass", "pass"), people=("fail",), drawn=True, probability=0.2)

CHECK = Check(
    kind="judged_anchored",
    version=1,
    title="A jury finds it good, and people check the jury",
    params_schema=PARAMS,
    decide=decide,
    excuse=out_of_scope,
    scale=scale,
    asks_panel=True,
    planned="while people find what the jury found; every correction makes it longer",
    good=(Fixture(params=EXAMPLE, call=Call(output={}, votes=_KEPT)),),
    bad=(Fixture(params=EXAMPLE, call=Call(output={}, votes=_OVERTURNED)),),
)
