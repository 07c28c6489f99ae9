"""citations/1: every citation names a known source and quotes it to the letter.

At `citations_field` the answer has a list of objects with the id of a source (`source_key`, by
default `source`) and a quotation (`quote_key`, by default `quote`). Each id must be a source of the
task (pacts.checks.sources) and each quotation must occur in that source in one piece, with at least
`shortest_quote` characters (default 20). Compatibility forms, case, kinds of quotation mark and
dash and runs of white space make no difference; nothing else does. There must be at least `least`
citations (default 1): an answer that cites nothing does not pass. With `graded` the value is the
share of sound citations. Not applicable out of scope or where the agent declined; missing sources
are the buyer's error, or, where the agent was to bring them, its failure.
"""

from pacts.checks.check import Answer, Call, Check, Fixture, Params, error, failed, passed, quote
from pacts.checks.fields import FIELD, Absent, at, declined, sound
from pacts.checks.sources import SOURCES, NoSources, blame, readable, sources, weakness
from reputation.canonical import JsonValue

MOST_CITATIONS = 500

PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        **SOURCES,
        "citations_field": FIELD,
        "source_key": FIELD,
        "quote_key": FIELD,
        "least": {"type": "integer", "minimum": 0, "maximum": MOST_CITATIONS},
        "shortest_quote": {"type": "integer", "minimum": 1, "maximum": 1000},
        "graded": {"type": "boolean"},
    },
    "required": ["sources_field", "citations_field"],
    "additionalProperties": False,
}


def decide(params: Params, call: Call) -> Answer:
    """Enough citations, and every one of them sound."""
    try:
        known = sources(params, call)
    except NoSources as problem:
        return failed(str(problem)) if blame(params) else error(f"the task: {problem}", "buyer")
    cited = at(call.output, params["citations_field"])
    if isinstance(cited, Absent) or not isinstance(cited, list):
        return failed(f"the answer has no list of citations at {quote(params['citations_field'])}")
    least = params.get("least", 1)
    assert isinstance(least, int)
    if len(cited) < least or not cited:
        return failed(f"{len(cited)} citations, at least {max(least, 1)} wanted")
    if len(cited) > MOST_CITATIONS:
        return failed(f"{len(cited)} citations; no more than {MOST_CITATIONS} are looked up")
    problems = [_problem(params, known, item) for item in cited]
    return _judged(problems, graded=bool(params.get("graded")))


def _judged(problems: list[str | None], *, graded: bool) -> Answer:
    wrong = [problem for problem in problems if problem]
    if not wrong:
        return passed(f"{len(problems)} citations, all of them sound")
    share = 1 - len(wrong) / len(problems)
    return failed(f"{len(wrong)} of {len(problems)}: {wrong[0]}", share if graded else 0.0)


def _problem(params: Params, known: dict[str, str], item: JsonValue) -> str | None:
    """What is wrong with one citation, or None."""
    named = at(item, params.get("source_key", "source"))
    text = at(item, params.get("quote_key", "quote"))
    source = known.get(str(named)) if isinstance(named, str | int) else None
    if source is None:
        return f"{quote(named if isinstance(named, str | int) else None)} is no known source"
    quoted = readable(sound(text)) if isinstance(text, str) else ""
    shortest = params.get("shortest_quote", 20)
    assert isinstance(shortest, int)
    if len(quoted) < shortest:
        return f"the quotation {quote(quoted)} is shorter than {shortest} characters"
    if quoted not in readable(source):
        return f"{quote(quoted)} is not in {quote(str(named))}"
    return None


def _excuse(params: Params, call: Call) -> str | None:
    if call.in_scope is False:
        return "the task is out of scope"
    return "the agent declined" if declined(call) else None


def _vacuity(params: Params) -> str | None:
    if params.get("least") == 0:
        return "an answer that cites nothing would keep this; ask for at least one citation"
    shortest = params.get("shortest_quote", 20)
    if isinstance(shortest, int) and shortest < 4:
        return "a quotation of a letter or two is found in any text; ask for at least 4 characters"
    return None


_CITING: dict[str, JsonValue] = {"sources_field": "docs", "citations_field": "citations"}
_DOCS: JsonValue = {"docs": [{"id": "a", "text": "Refunds are paid\nwithin 14 days – always."}]}


def _answer(source: str, text: str) -> Call:
    return Call(input=_DOCS, output={"citations": [{"source": source, "quote": text}]})


GOOD = (Fixture(params=_CITING, call=_answer("a", "refunds are paid within 14 days - always")),)
BAD = (
    Fixture(params=_CITING, call=_answer("a", "Refunds are paid within 10 days")),
    Fixture(params=_CITING, call=_answer("b", "Refunds are paid within 14 days")),
    Fixture(params=_CITING, call=_answer("a", "Refunds")),
    Fixture(params=_CITING, call=Call(input=_DOCS, output={"citations": []})),
    Fixture(params=_CITING, call=Call(input=_DOCS, output={"text": "Trust me."})),
)

CHECK = Check(
    kind="citations",
    version=1,
    title="Quotes known sources to the letter",
    params_schema=PARAMS,
    decide=decide,
    excuse=_excuse,
    vacuity=_vacuity,
    weakness=weakness,
    good=GOOD,
    bad=BAD,
    vacuous=({**_CITING, "least": 0}, {**_CITING, "shortest_quote": 1}),
    also_called=(
        "quotes",
        "attribution",
    ),
    neighbours={"grounding": "looks for the answer's own numbers and names in the sources"},
)
