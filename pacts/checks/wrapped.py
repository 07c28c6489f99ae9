"""Checks around a check: a clause about repeats, rewordings or attacks names the check that decides
one answer, and what it makes of many such answers is its own business."""

from collections.abc import Callable, Mapping

from pacts.checks.check import Answer, BadParams, Call, Check, Params
from reputation.canonical import JsonValue

INNER: dict[str, JsonValue] = {
    "check": {"type": "string", "minLength": 1, "maxLength": 40},
    "params": {"type": "object"},
}
FIELDS: dict[str, JsonValue] = {
    "type": "array",
    "items": {"type": "string", "minLength": 1, "maxLength": 200},
    "minItems": 1,
    "maxItems": 10,
    "uniqueItems": True,
}


def inner(plain: Mapping[str, Check], params: Params) -> tuple[Check, Params]:
    """The check a clause is about, and its parameters. Raises KeyError."""
    given = params.get("params")
    return plain[str(params["check"])], given if isinstance(given, dict) else {}


def refusal(plain: Mapping[str, Check]) -> Callable[[Params], str | None]:
    """Refuses a check nobody knows and parameters that do not fit it."""

    def refuse(params: Params) -> str | None:
        if params["check"] not in plain:
            return f"there is no check of one answer called “{params['check']}”"
        check, given = inner(plain, params)
        try:
            check.validate_params(given)
        except BadParams as problem:
            return f"in params{problem.path}: {problem.problem}"
        return None

    return refuse


def vacuity(plain: Mapping[str, Check]) -> Callable[[Params], str | None]:
    def empty(params: Params) -> str | None:
        check, given = inner(plain, params)
        return check.vacuity(given)

    return empty


def excuse(plain: Mapping[str, Check]) -> Callable[[Params, Call], str | None]:
    def excused(params: Params, call: Call) -> str | None:
        check, given = inner(plain, params)
        return check.excuse(given, call)

    return excused


def decide(plain: Mapping[str, Check], module: str) -> Callable[[Params, Call], Answer]:
    """One answer, decided as the inner check decides it, in the name of the kind's own module."""

    def decided(params: Params, call: Call) -> Answer:
        """One answer as the inner check decides it; what follows from many, the module says."""
        check, given = inner(plain, params)
        return check.decide(given, call)

    decided.__module__ = module
    return decided
