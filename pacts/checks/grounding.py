"""grounding/2: the numbers, names and codes of the answer occur in the sources.

The text at `field` is read for claims (pacts.checks.claims) and each must occur in one of the
task's sources (pacts.checks.sources), or in the text at `also_field` of its input, such as the
question. `count` narrows the claims to `numbers` or `names`. At least `floor_bps` of them (of
10000, default all) must be found. This is lexical: it catches what was made up, not what was
misunderstood; in languages that capitalise nouns, nouns are names. An answer without any claim does
not pass: it fails, or with `when_none: not_applicable` does not count. With `graded` the value is
the share found. Not applicable out of scope or where the agent declined; missing sources are the
buyer's error, or, where the agent was to bring them, its failure.
"""

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
    quote,
)
from pacts.checks.claims import LONGEST, MOST_CLAIMS, claims, grounds
from pacts.checks.fields import FIELD, text_at
from pacts.checks.length import excuse
from pacts.checks.sources import SOURCES, NoSources, blame, sources, weakness
from reputation.canonical import JsonValue

PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        **SOURCES,
        "field": FIELD,
        "also_field": FIELD,
        "count": {"enum": ["all", "numbers", "names"]},
        "floor_bps": {"type": "integer", "minimum": 0, "maximum": 10_000},
        "when_none": {"enum": ["fail", "not_applicable"]},
        "graded": {"type": "boolean"},
    },
    "required": ["field", "sources_field"],
    "additionalProperties": False,
}


def decide(params: Params, call: Call) -> Answer:
    """Enough of the answer's claims occur in the sources."""
    try:
        texts = list(sources(params, call).values())
    except NoSources as problem:
        return failed(str(problem)) if blame(params) else error(f"the task: {problem}", "buyer")
    text = text_at(call.output, params["field"])
    if text is None:
        return failed(f"the answer has no text at {quote(params['field'])}")
    if len(text) > LONGEST:
        return failed(f"{len(text)} characters; no more than {LONGEST} are looked up")
    if "also_field" in params:
        texts.append(text_at(call.input, params["also_field"]) or "")
    return _judged(params, text, "\n".join(texts))


def _judged(params: Params, text: str, said: str) -> Answer:
    count = params.get("count", "all")
    made = claims(text, numbers=count != "names", names=count != "numbers")
    if count == "numbers":
        made = [claim for claim in made if claim.is_number]
    if not made:
        none = "the answer claims nothing that could be looked up"
        return not_applicable(none) if params.get("when_none") == "not_applicable" else failed(none)
    if len(made) >= MOST_CLAIMS:
        return failed(f"over {MOST_CLAIMS} claims; no more are looked up")
    ground = grounds(said)
    missing = [claim.written for claim in made if not ground.hold(claim)]
    share = 1 - len(missing) / len(made)
    floor = params.get("floor_bps", 10_000)
    assert isinstance(floor, int)
    reason = f"{len(made) - len(missing)} of {len(made)} claims are in the sources"
    if missing:
        reason += f", {quote(missing[0])} is not"
    if share * 10_000 >= floor:
        return passed(reason, share if params.get("graded") else 1.0)
    return failed(reason, share if params.get("graded") else 0.0)


def _vacuity(params: Params) -> str | None:
    if params.get("floor_bps") == 0:
        return "with a floor of 0 nothing has to be in the sources"
    return None


_GROUNDED: dict[str, JsonValue] = {"field": "text", "sources_field": "docs"}
_DOCS: JsonValue = {
    "docs": ["Acme Corp sold 1,250 units (model AX-20) for €3.5m in 2021, said Jo Doe."]
}


def _says(text: str) -> Call:
    return Call(input=_DOCS, output={"text": text})


GOOD = (
    Fixture(params=_GROUNDED, call=_says("In 2021 Acme Corp’s sales were 1.250 units of AX-20.")),
    Fixture(params={**_GROUNDED, "count": "numbers", "floor_bps": 5000}, call=_says("3.5 or 4.5m")),
)
BAD = (
    Fixture(params=_GROUNDED, call=_says("Acme Corp sold 1,520 units.")),
    Fixture(params=_GROUNDED, call=_says("They sold them, said Jo Brown.")),
    Fixture(params=_GROUNDED, call=_says("They sold the AX-21.")),
    Fixture(params=_GROUNDED, call=_says("They sold quite a few.")),
    Fixture(params=_GROUNDED, call=Call(input=_DOCS, output={})),
)

CHECK = Check(
    kind="grounding",
    version=2,
    title="Claims only what the sources say",
    params_schema=PARAMS,
    decide=decide,
    excuse=excuse,
    vacuity=_vacuity,
    weakness=weakness,
    good=GOOD,
    bad=BAD,
    vacuous=({**_GROUNDED, "floor_bps": 0},),
    also_called=(
        "faithfulness",
        "groundedness",
        "hallucination",
    ),
    neighbours={
        "citations": "wants quotations to the letter, each with its source",
        "similarity": "compares the whole text with an expected one",
    },
)
