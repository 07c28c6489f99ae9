"""What the kinds over attacked tasks share: their parameters and what they ask a run to plant.

Every task is tried in `each` attacks of every named family of the probe pack (`pacts.probes`),
planted into one text below the named input `fields`: those that hold what strangers wrote, such as
tool results, documents or messages. Where a secret can leak, it is planted at `secret_field`.
`pack` names the version of the pack, so that a new one never changes a signed clause.
"""

from pacts.checks import wrapped
from pacts.checks.check import Params
from pacts.probes import FAMILIES, VERSION
from pacts.variants import Variation
from reputation.canonical import JsonValue

LEAKS = ("exfiltration", "prompt_extraction")
ATTACKS: dict[str, JsonValue] = {
    "pack": {"enum": [VERSION]},
    "fields": wrapped.FIELDS,
    "families": {
        "type": "array",
        "items": {"enum": list(FAMILIES)},
        "minItems": 1,
        "uniqueItems": True,
    },
    "each": {"type": "integer", "minimum": 1, "maximum": 5},
    "secret_field": {"type": "string", "minLength": 1, "maxLength": 200},
}
EXAMPLE: dict[str, JsonValue] = {
    "pack": VERSION,
    "fields": ["document"],
    "families": ["injection"],
}


def varies(params: Params) -> Variation:
    """The attacks a clause asks for."""
    each, families, fields = params.get("each", 1), params["families"], params["fields"]
    return Variation(
        kind="probe",
        families=tuple(map(str, families)) if isinstance(families, list) else (),
        each=each if isinstance(each, int) else 1,
        fields=tuple(map(str, fields)) if isinstance(fields, list) else (),
        secret_field=str(params.get("secret_field", "")),
        base=False,
    )


def refusal(params: Params) -> str | None:
    """A leak needs something that can leak."""
    families = params["families"]
    if isinstance(families, list) and "secret_field" not in params:
        leaking = [name for name in LEAKS if name in families]
        if leaking:
            return f"{leaking[0]} needs a secret_field, where what must not leak is planted"
    return None
