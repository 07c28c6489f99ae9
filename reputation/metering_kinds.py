"""Evidence of metered hires: what was set aside, what each window cost, how it ended."""

from collections.abc import Mapping

from reputation.facts import AMOUNT, BPS, COUNT, CURRENCY, EVIDENCE_ID, INSTANT, TOKEN, Choice
from reputation.kind import Kind
from reputation.kind import kind as _kind

_OUTCOMES = ("met", "breached", "undetermined")
_SIDES = ("buyer", "builder")

METERING: Mapping[str, Kind] = {
    # `funded` is everything put in so far.
    "meter.funded": _kind(
        "meter engagement buyer",
        {"amount": AMOUNT, "funded": AMOUNT, "currency": CURRENCY, "kind": TOKEN},
    ),
    "meter.paused": _kind("meter engagement", {"by": Choice(_SIDES)}),
    "meter.resumed": _kind("meter engagement", {"by": Choice(_SIDES)}),
    # A critical clause was breached: nothing more is paid unless the buyer waives it in time.
    "meter.frozen": _kind(
        "meter engagement agent",
        {"clause": TOKEN, "rest": AMOUNT, "currency": CURRENCY, "breach_evidence": EVIDENCE_ID},
        may={"until": INSTANT},
    ),
    "meter.waived": _kind("meter engagement buyer", {"clause": TOKEN}),
    # Undetermined, and the pact lets its money wait.
    "meter.withheld": _kind(
        "meter engagement stream",
        {"window": COUNT, "rule": TOKEN, "amount": AMOUNT, "currency": CURRENCY, "until": INSTANT},
    ),
    # `calls` are `verified` and everything else; `earned` is `paid`, `fee` and `held_back`.
    "meter.settled": _kind(
        "meter engagement stream agent agent_version",
        {
            "window": COUNT,
            "outcome": Choice(_OUTCOMES),
            "reason": TOKEN,
            "calls": COUNT,
            "verified": COUNT,
            "currency": CURRENCY,
            "earned": AMOUNT,
            "paid": AMOUNT,
            "fee": AMOUNT,
            "held_back": AMOUNT,
        },
        may={"award_bps": BPS},
        may_digests="statement",
    ),
    "meter.closing": _kind("meter engagement", {"reason": TOKEN}),
    # `funded` is `paid`, `fees` and `returned`.
    "meter.ended": _kind(
        "meter engagement buyer builder agent",
        {
            "reason": TOKEN,
            "currency": CURRENCY,
            "funded": AMOUNT,
            "paid": AMOUNT,
            "fees": AMOUNT,
            "returned": AMOUNT,
        },
    ),
}
