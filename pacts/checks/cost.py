"""cost/1: the call cost no more than agreed.

With `most_micros` and `currency` the reported cost (pacts.answers, millionths of a unit of the
currency) must be in that currency and at most that much. With `most_tokens` the reported tokens
must be at most that many: read and written together, or one of them as `tokens` says. Exactly at
the limit passes. A call that reports neither fails: whoever promises a cost must show it. Cost is
owed for every call, so tasks out of scope and refusals count too.
"""

from pacts.answers import Cost, Facts, Usage
from pacts.checks.check import Answer, Call, Check, Fixture, Params, failed, passed
from pacts.checks.final_state import self_reported, unreported
from reputation.canonical import LARGEST_INTEGER, JsonValue

# A thousand units of any currency, or a billion tokens, for one call: no limit at all.
ANY_MICROS = 1_000_000_000
ANY_TOKENS = 1_000_000_000

_LIMIT: dict[str, JsonValue] = {"type": "integer", "minimum": 0, "maximum": LARGEST_INTEGER}
PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "most_micros": _LIMIT,
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "most_tokens": _LIMIT,
        "tokens": {"enum": ["total", "input", "output"]},
    },
    "dependentRequired": {
        "most_micros": ["currency"],
        "currency": ["most_micros"],
        "tokens": ["most_tokens"],
    },
    "anyOf": [{"required": ["most_micros"]}, {"required": ["most_tokens"]}],
    "additionalProperties": False,
}


def decide(params: Params, call: Call) -> Answer:
    """Reported cost and tokens are within their limits."""
    said = []
    for within in (_money, _tokens):
        fits, reason = within(params, call)
        if not fits:
            return failed(reason)
        said.append(reason)
    return passed(", ".join(filter(None, said)))


def _money(params: Params, call: Call) -> tuple[bool, str]:
    most = params.get("most_micros")
    if not isinstance(most, int):
        return True, ""
    cost = call.facts.cost
    if cost is None:
        return False, unreported(call, "cost")
    if cost.currency != params["currency"]:
        return False, f"the cost is in {cost.currency}, agreed is {params['currency']}"
    said = f"{cost.micros / 1e6:.6f} {cost.currency}, limit {most / 1e6:.6f}"
    return cost.micros <= most, said


def _tokens(params: Params, call: Call) -> tuple[bool, str]:
    most = params.get("most_tokens")
    if not isinstance(most, int):
        return True, ""
    usage = call.facts.usage
    if usage is None:
        return False, unreported(call, "usage")
    which = str(params.get("tokens", "total"))
    count: int = getattr(usage, f"{which}_tokens")
    return count <= most, f"{count} tokens ({which}), limit {most}"


def _vacuity(params: Params) -> str | None:
    micros, tokens = params.get("most_micros"), params.get("most_tokens")
    if isinstance(micros, int) and micros >= ANY_MICROS:
        return "no call costs that much, so every call is within it"
    if isinstance(tokens, int) and tokens >= ANY_TOKENS:
        return "no call takes that many tokens, so every call is within it"
    return None


def _facts(micros: int, currency: str = "USD", tokens: int = 100) -> Facts:
    usage = Usage(input_tokens=tokens, output_tokens=tokens)
    return Facts(cost=Cost(micros=micros, currency=currency), usage=usage)


_CENT: dict[str, JsonValue] = {"most_micros": 10_000, "currency": "USD", "most_tokens": 200}
GOOD = (
    Fixture(params=_CENT, call=Call(output={}, facts=_facts(10_000))),
    Fixture(params={"most_tokens": 100, "tokens": "output"}, call=Call(output={}, facts=_facts(1))),
)
BAD = (
    Fixture(params=_CENT, call=Call(output={}, facts=_facts(10_001))),
    Fixture(params=_CENT, call=Call(output={}, facts=_facts(1, "EUR"))),
    Fixture(params=_CENT, call=Call(output={}, facts=_facts(1, tokens=101))),
    Fixture(params=_CENT, call=Call(output={})),
)

CHECK = Check(
    kind="cost",
    version=1,
    title="Costs no more than agreed",
    params_schema=PARAMS,
    decide=decide,
    vacuity=_vacuity,
    weakness=self_reported,
    unanswered="not_applicable",
    good=GOOD,
    bad=BAD,
    vacuous=({"most_micros": 10**12, "currency": "USD"}, {"most_tokens": 10**12}),
    also_called=(
        "price",
        "token_budget",
    ),
    neighbours={"latency": "bounds the time a call takes"},
)
