"""reviewed/1: blinded people find that a random sample of the answers meets the rubric.

A share `review_bps` of the answers is drawn by chance, with a seed that was committed to before any
answer existed; the others are not applicable. The value is the share of reviewers who passed it;
an answer on which nobody decided is the platform's error.
"""

from pacts.checks import judged_anchored
from pacts.checks.check import (
    Answer,
    Call,
    Check,
    Fixture,
    Params,
    error,
    failed,
    not_applicable,
    passed,
)
from pacts.checks.equality import out_of_scope
from pacts.judges.votes import Votes, human_mean
from reputation.canonical import JsonValue

PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "rubric": {"type": "string", "minLength": 20, "maxLength": 4000},
        "review_bps": judged_anchored.SHARE,
        "reviewers": {"type": "integer", "minimum": 1, "maximum": 5},
    },
    "required": ["rubric", "review_bps"],
    "additionalProperties": False,
}


def decide(params: Params, call: Call) -> Answer:
    """The share of reviewers who passed a drawn answer; at least half is a pass."""
    votes = call.votes or Votes()
    if not votes.drawn:
        return not_applicable("it was not drawn for review")
    mean = human_mean(votes.people)
    if mean is None:
        return error("it was drawn for people to read, and none of them decided", "platform")
    passes = votes.people.count("pass")
    said = f"{passes} of {len(votes.people)} reviewers passed it"
    return (passed if mean >= 0.5 else failed)(said, mean)


_EXAMPLE: dict[str, JsonValue] = {
    "rubric": "The answer is polite and names the next step.",
    "review_bps": 1000,
}

CHECK = Check(
    kind="reviewed",
    version=1,
    title="People find it good",
    params_schema=PARAMS,
    decide=decide,
    excuse=out_of_scope,
    asks_panel=True,
    good=(
        Fixture(params=_EXAMPLE, call=Call(output={}, votes=Votes(people=("pass",), drawn=True))),
    ),
    bad=(
        Fixture(params=_EXAMPLE, call=Call(output={}, votes=Votes(people=("fail",), drawn=True))),
    ),
)
