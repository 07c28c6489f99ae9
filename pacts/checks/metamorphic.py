"""What the three kinds over perturbed tasks share: their parameters, and what a run varies.

Every task is tried as it is and in `each` seeded variants of every named family (`pacts.perturb`);
`paraphrase` uses the task owner's own rewordings, however many there are. Variants that would not
differ from the task are not tried. Only the named input `fields` are touched. Each variant is
decided by the inner check against the task's own expected answer.
"""

from collections.abc import Mapping
from typing import Any

from pacts.checks import wrapped
from pacts.checks.check import Call, Check, Fixture, Params
from pacts.perturb import FAMILIES
from pacts.tries import Outcome, Try, gravest
from pacts.variants import Variation
from reputation.canonical import JsonValue

PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        **wrapped.INNER,
        "fields": wrapped.FIELDS,
        "families": {
            "type": "array",
            "items": {"enum": list(FAMILIES)},
            "minItems": 1,
            "uniqueItems": True,
        },
        "each": {"type": "integer", "minimum": 1, "maximum": 5},
        "remarks": {
            "type": "array",
            "items": {"type": "string", "pattern": "\\S", "maxLength": 300},
            "minItems": 1,
            "maxItems": 20,
            "description": "Idle remarks for the family `distractor`, in the language of the tasks",
        },
    },
    "required": ["check", "fields", "families"],
    "additionalProperties": False,
}
EXAMPLE: dict[str, JsonValue] = {
    "check": "equality",
    "params": {"field": "label"},
    "fields": ["text"],
    "families": ["typos", "case"],
}
GOOD = (Fixture(params=EXAMPLE, call=Call(expected={"label": "a"}, output={"label": "a"})),)
BAD = (Fixture(params=EXAMPLE, call=Call(expected={"label": "a"}, output={"label": "b"})),)


def around(plain: Mapping[str, Check], *, module: str, **own: Any) -> Check:
    """One of the three kinds around the plain checks: what is `own` to it, and what they share."""
    return Check(
        version=1,
        params_schema=PARAMS,
        decide=wrapped.decide(plain, module),
        excuse=wrapped.excuse(plain),
        refusal=wrapped.refusal(plain),
        vacuity=wrapped.vacuity(plain),
        varies=varies,
        good=GOOD,
        bad=BAD,
        **own,
    )


def varies(params: Params) -> Variation:
    """The variation a clause asks for."""
    each = params.get("each", 1)
    return Variation(
        kind="perturbation",
        families=_texts(params["families"]),
        each=each if isinstance(each, int) else 1,
        fields=_texts(params["fields"]),
        remarks=_texts(params.get("remarks")),
    )


def split(tries: "list[Try] | tuple[Try, ...]") -> tuple[list[Try], list[Try], Outcome | None]:
    """The deciding tries of the task as it is and of its variants, and what keeps the unit from
    deciding: a missing base, or no variant at all."""
    base = [each for each in tries if not each.variant]
    varied = [each for each in tries if each.variant]
    if not any(each.decided for each in base):
        return [], [], gravest(base)
    if not any(each.decided for each in varied):
        return [], [], gravest(varied) if varied else "not_applicable"
    return [t for t in base if t.decided], [t for t in varied if t.decided], None


def _texts(value: JsonValue) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()
