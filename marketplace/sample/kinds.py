"""The three kinds of sample work: what an answer looks like, what a buyer asks for, and why.

Clauses are plain data in the form of the pact language (`earnest-pact/1`): rates and weights in
basis points. Thresholds come from what a wrong answer, a missing answer and a nuisance cost this
buyer; a comment at each says so. None was chosen from a result.
"""

from dataclasses import dataclass
from typing import Any

from marketplace.sample import kind_texts
from marketplace.sample.kind_texts import KindText

Clause = dict[str, Any]
Schema = dict[str, Any]


@dataclass(frozen=True)
class SampleKind:
    """One kind of work. `field` is the output's main field, null when the agent declines.

    `text` holds what pages show. `clauses` sum to 10000 basis points of weight.
    """

    slug: str
    field: str
    output_schema: Schema
    clauses: tuple[Clause, ...]
    text: KindText


def _schema(field: str, value: Schema) -> Schema:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {field: value, "declined": {"type": "boolean"}},
        "required": [field, "declined"],
        "additionalProperties": False,
    }


def _clause(
    key: str,
    title: str,
    check: str,
    params: dict[str, Any],
    rates: tuple[int, int],
    critical: bool = False,
    **more: Any,
) -> Clause:
    # A critical clause that is breached takes the whole price, any other its own weight; where the
    # evidence says neither, a person looks at what is critical and the rest is paid by its rate.
    promise, floor = rates
    standard = {
        "unit": "call",
        "repeats": 1,
        "owner": "builder",
        "review_cadence_days": 30,
        "window": {"kind": "milestone"},
    }
    return standard | {
        "key": key,
        "title": title,
        "check": check,
        "params": params,
        "promise_bps": promise,
        "floor_bps": floor,
        "severity": "critical" if critical else "normal",
        "consequence": "withhold" if critical else "reduce",
        "on_undetermined": "human_review" if critical else "prorate",
        **more,
    }


def _no_confident_error(
    key: str, title: str, field: str, rates: tuple[int, int], weight: int, *, critical: bool
) -> Clause:
    """An answer that is given is right; to decline is no error.

    The agents name no confidence, and an answer without one is given with certainty.
    """
    params = {"field": field, "confidence_field": "confidence", "confident_bps": 1}
    return _clause(
        key,
        title,
        "no_confident_error",
        params,
        rates,
        unit="task",
        dimension="honesty",
        critical=critical,
        weight_bps=weight,
    )


def _right_answer(key: str, title: str, field: str, rates: tuple[int, int], weight: int) -> Clause:
    """The right answer is given wherever there is one; to decline is a miss."""
    params = {"field": field, "abstention": "fail"}
    return _clause(
        key,
        title,
        "equality",
        params,
        rates,
        unit="task",
        dimension="accuracy",
        weight_bps=weight,
    )


def _declines(
    key: str,
    title: str,
    field: str,
    rates: tuple[int, int],
    weight: int,
    *,
    critical: bool = False,
) -> Clause:
    """What is out of scope is declined."""
    return _clause(
        key,
        title,
        "scope",
        {"field": field},
        rates,
        unit="task",
        dimension="scope",
        critical=critical,
        weight_bps=weight,
    )


def _form_and_speed(schema: Schema, limit_ms: int) -> tuple[Clause, Clause]:
    # A caller's program breaks on either, so both promise 95 of 100, and 46 clean calls show it.
    rates = (9500, 9000)
    return (
        _clause(
            "answer-form",
            "Every answer has the agreed form",
            "json_schema",
            {"schema": schema},
            rates,
            dimension="format",
            weight_bps=1000,
        ),
        _clause(
            "answer-time",
            f"95 of 100 answers arrive within {limit_ms} ms",
            "latency",
            {"limit_ms": limit_ms},
            rates,
            dimension="speed",
            weight_bps=1000,
        ),
    )


LANGUAGE_SCHEMA = _schema(
    "language", {"type": ["string", "null"], "pattern": "^[a-z]{2,3}(-[A-Za-z]{2,4})?$"}
)
DATE_SCHEMA = _schema(
    "date", {"type": ["string", "null"], "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
)
DOCUMENT_SCHEMA = _schema("document", {"type": ["object", "array", "null"]})

LANGUAGE = SampleKind(
    slug="language",
    field="language",
    output_schema=LANGUAGE_SCHEMA,
    clauses=(
        # A customer answered in a wrong language is lost; people sort wrongly one time in ten.
        _no_confident_error(
            "no-wrong-team",
            "No message goes to a team that cannot read it",
            "language",
            (9000, 8000),
            3500,
            critical=True,
        ),
        # What is declined is sorted by hand: two of three taken off the desk pays, half does not.
        _right_answer(
            "right-team",
            "Two of three messages reach the right team by themselves",
            "language",
            (6500, 5000),
            2500,
        ),
        # A misrouted order number is a nuisance, no loss: four in five is enough.
        _declines(
            "not-a-message",
            "What has no language is handed back",
            "language",
            (8000, 6000),
            1000,
        ),
        # A customer who writes twice must not meet two teams: held to the rate of wrong teams.
        _clause(
            "same-team",
            "Sent twice, a message reaches the right team twice",
            "consistency",
            {"field": "language", "abstention": "skip"},
            (9000, 8000),
            unit="task",
            repeats=2,
            dimension="consistency",
            weight_bps=1000,
        ),
        *_form_and_speed(LANGUAGE_SCHEMA, 1000),
    ),
    text=kind_texts.LANGUAGE,
)

DATES = SampleKind(
    slug="dates",
    field="date",
    output_schema=DATE_SCHEMA,
    clauses=(
        # A lorry on the wrong day costs a delivery; a question to the customer costs a mail.
        _no_confident_error(
            "no-wrong-day",
            "No shipment is booked on a day the customer did not write",
            "date",
            (9500, 9000),
            3500,
            critical=True,
        ),
        # One form in ten may come back with a question; one in five would stall the desk.
        _right_answer(
            "right-day", "Nine of ten dates are read without a question", "date", (9000, 8000), 2500
        ),
        # Half the harm of a wrong day: the forwarder sees most of these at the next step.
        _declines(
            "not-a-day", "What is not a full date is handed back", "date", (9000, 8000), 2000
        ),
        *_form_and_speed(DATE_SCHEMA, 1000),
    ),
    text=kind_texts.DATES,
)

DOCUMENTS = SampleKind(
    slug="documents",
    field="document",
    output_schema=DOCUMENT_SCHEMA,
    clauses=(
        # Half an order is shipped and invoiced as if it were whole: at one in ten of them the
        # books cannot be trusted. To ask the model again costs seconds.
        _declines(
            "not-an-order",
            "What is cut off, empty or doubled is handed back",
            "document",
            (9500, 9000),
            3500,
            critical=True,
        ),
        # Nobody checks an order that was read, so what is read from a complete one is right.
        _no_confident_error(
            "no-wrong-order",
            "No complete order is changed",
            "document",
            (9500, 9000),
            2000,
            critical=False,
        ),
        # A refused order is asked for again: one in ten is bearable, one in five is slow.
        _right_answer(
            "right-order", "Nine of ten complete orders are read", "document", (9000, 8000), 2500
        ),
        *_form_and_speed(DOCUMENT_SCHEMA, 1000),
    ),
    text=kind_texts.DOCUMENTS,
)

KINDS: tuple[SampleKind, ...] = (LANGUAGE, DATES, DOCUMENTS)


def get_kind(slug: str) -> SampleKind:
    """The kind with this slug; KeyError if there is none."""
    return {kind.slug: kind for kind in KINDS}[slug]
