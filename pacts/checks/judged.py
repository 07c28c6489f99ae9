"""judged/1: a jury of models finds that the answer meets the rubric.

The jury is named by its digest, which pins its models, the prompt and the rule (`pacts.judges`). An
answer passes or fails as the jury concludes by its rule; where it concludes nothing the call is
skipped, and shown. Of production calls the jury hears a share `call_bps` (a tenth where the pact
says nothing), drawn by chance. Both parties accept the jury's error as the pact's own, so a clause
that moves money needs a calibration against people that shows the error to be small: see
`pacts.judges.calibration`.
"""

from pacts.checks.check import Answer, Call, Check, Fixture, Params, failed, passed, skipped
from pacts.checks.equality import out_of_scope
from pacts.judges.votes import Rule, Said, Votes, concluded
from reputation.canonical import JsonValue

JURY: dict[str, JsonValue] = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
RULE: dict[str, JsonValue] = {"enum": ["majority", "unanimity"]}
HEARD: dict[str, JsonValue] = {"type": "integer", "minimum": 1, "maximum": 10_000}
HEARD_BPS = 1_000
PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"jury": JURY, "rule": RULE, "call_bps": HEARD},
    "required": ["jury", "rule"],
    "additionalProperties": False,
}


def rule_of(params: Params) -> Rule:
    return "unanimity" if params.get("rule") == "unanimity" else "majority"


def decide(params: Params, call: Call) -> Answer:
    """As the jury concluded by its rule."""
    jury = call.votes.jury if call.votes else ()
    said = concluded(jury, rule_of(params))
    if said == "abstain":
        return skipped(f"the jury concluded nothing: {tally(jury)}")
    return (passed if said == "pass" else failed)(f"the jury: {tally(jury)}")


def tally(jury: tuple[Said, ...]) -> str:
    """`2 pass, 1 fail, 0 abstain`."""
    return ", ".join(f"{jury.count(said)} {said}" for said in ("pass", "fail", "abstain"))


EXAMPLE: dict[str, JsonValue] = {"jury": "sha256:" + "0" * 64, "rule": "majority"}
_ALL: dict[str, JsonValue] = {**EXAMPLE, "rule": "unanimity"}
GOOD = (
    Fixture(params=EXAMPLE, call=Call(output={}, votes=Votes(jury=("pass", "pass", "fail")))),
    Fixture(params=_ALL, call=Call(output={}, votes=Votes(jury=("pass", "pass")))),
)
BAD = (
    Fixture(params=EXAMPLE, call=Call(output={}, votes=Votes(jury=("fail", "fail", "pass")))),
    Fixture(params=_ALL, call=Call(output={}, votes=Votes(jury=("fail", "fail")))),
)

CHECK = Check(
    kind="judged",
    version=1,
    title="A jury finds it good",
    params_schema=PARAMS,
    decide=decide,
    excuse=out_of_scope,
    asks_panel=True,
    good=GOOD,
    bad=BAD,
)
