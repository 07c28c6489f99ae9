"""number/1: the answer's quantity is near enough to the expected one, whatever unit it is in.

The value at `field` is a number, or text of a number and a unit (`12.5 km`; the grammar is in
pacts.checks.quantities). A number without a unit is taken to be in `unit`. Both sides are turned
into `unit` and pass when |found − expected| ≤ max(absolute, relative · |expected|); `absolute` is
in `unit`, and differences below 1e-12 of the expected value are rounding. Without `unit` neither
side may carry one. A unit that measures something else fails. Not applicable out of scope;
declining fails; a task without an expected quantity is the buyer's error.
"""

from pacts.checks.check import Answer, Call, Check, Fixture, Params, error, failed, passed, quote
from pacts.checks.equality import out_of_scope
from pacts.checks.fields import FIELD, Absent, at, declined
from pacts.checks.json_equality import TOLERANCE
from pacts.checks.quantities import NoQuantity, UnitsDiffer, conversion, known_unit, read_quantity
from reputation.canonical import JsonValue

ROUNDING = 1e-12

PARAMS: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "field": FIELD,
        "expected_field": FIELD,
        "unit": {"type": "string", "minLength": 1, "maxLength": 60},
        "relative": TOLERANCE,
        "absolute": TOLERANCE,
    },
    "required": ["field"],
    "additionalProperties": False,
}


def decide(params: Params, call: Call) -> Answer:
    """The quantity is within the tolerance of the expected one."""
    field = params["field"]
    wanted = at(call.expected, params.get("expected_field", field))
    if isinstance(wanted, Absent):
        return error("the task has no expected quantity", "buyer")
    unit = params.get("unit")
    try:
        expected = _in_unit(wanted, unit)
    except (NoQuantity, UnitsDiffer) as problem:
        return error(f"the expected {quote(wanted)} is no quantity: {problem}", "buyer")
    if declined(call, field):
        return failed("the agent declined")
    value = at(call.output, field)
    if isinstance(value, Absent):
        return failed(f"the answer has no {quote(field)}")
    try:
        found = _in_unit(value, unit)
    except (NoQuantity, UnitsDiffer) as problem:
        return failed(f"{quote(value)} is no such quantity: {problem}")
    return _judged(params, found, expected)


def _judged(params: Params, found: float, expected: float) -> Answer:
    absolute, relative = params.get("absolute", 0), params.get("relative", 0)
    assert isinstance(absolute, int | float)
    assert isinstance(relative, int | float)
    allowed = max(absolute, relative * abs(expected), ROUNDING * abs(expected))
    said = f"{found:.6g}, expected {expected:.6g} ± {allowed:.3g} {params.get('unit', '')}".rstrip()
    return passed(said) if abs(found - expected) <= allowed else failed(said)


def _in_unit(value: JsonValue, unit: object) -> float:
    number, own = read_quantity(value)
    if own is None:
        return number
    if unit is None:
        raise UnitsDiffer(f"a unit, {own[:40]}, where a bare number is expected")
    return conversion(own, str(unit))(number)


def _refusal(params: Params) -> str | None:
    unit = params.get("unit")
    if unit is not None and not known_unit(str(unit)):
        return f"{quote(unit)} is no unit that can be converted"
    return None


def _vacuity(params: Params) -> str | None:
    relative = params.get("relative", 0)
    if isinstance(relative, int | float) and relative >= 1:
        return "a relative tolerance of 1 or more lets 0 pass for every number"
    absolute = params.get("absolute", 0)
    if isinstance(absolute, int | float) and absolute >= 1e12:
        return "with such an absolute tolerance hardly any number is wrong"
    return None


_LENGTH: dict[str, JsonValue] = {"field": "length", "unit": "m", "relative": 0.01}
_EXPECTED: JsonValue = {"length": "1.5 km"}
GOOD = (
    Fixture(params=_LENGTH, call=Call(expected=_EXPECTED, output={"length": 1501})),
    Fixture(params=_LENGTH, call=Call(expected=_EXPECTED, output={"length": "0.93 mile"})),
    Fixture(params={"field": "n"}, call=Call(expected={"n": 0.3}, output={"n": 0.1 + 0.2})),
)
BAD = (
    Fixture(params=_LENGTH, call=Call(expected=_EXPECTED, output={"length": 1.5})),
    Fixture(params=_LENGTH, call=Call(expected=_EXPECTED, output={"length": "1.5 kg"})),
    Fixture(params=_LENGTH, call=Call(expected=_EXPECTED, output={"length": "1e999999 m"})),
    Fixture(params=_LENGTH, call=Call(expected=_EXPECTED, output={"length": "1500 m**99999"})),
    Fixture(params=_LENGTH, call=Call(expected=_EXPECTED, output={"length": float("nan")})),
    Fixture(params={"field": "n"}, call=Call(expected={"n": 1}, output={"n": True})),
)

CHECK = Check(
    kind="number",
    version=1,
    title="Near enough to the expected quantity",
    params_schema=PARAMS,
    decide=decide,
    excuse=out_of_scope,
    refusal=_refusal,
    vacuity=_vacuity,
    good=GOOD,
    bad=BAD,
    vacuous=({"field": "n", "relative": 1}, {"field": "n", "absolute": 1e15}),
    also_called=(
        "numeric",
        "numeric_tolerance",
        "math",
        "quantity",
    ),
    neighbours={
        "equality": "wants the very same number",
        "json_equality": "compares many numbers at once, without units",
    },
)
