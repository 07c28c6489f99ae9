"""Kinds of evidence about what follows from production: incidents, routes, shadows, replays."""

from collections.abc import Mapping

from reputation.facts import BPS, COUNT, EVIDENCE_ID, TOKEN, Choice
from reputation.kind import Kind
from reputation.kind import kind as _kind

SEVERITIES = ("minor", "major", "critical")
OUTCOMES = ("fixed", "false_alarm", "accepted", "replaced", "ended")

CONSEQUENCES: Mapping[str, Kind] = {
    "incident.opened": _kind(
        "incident engagement agent",
        {"severity": Choice(SEVERITIES)},
        may={"clause": TOKEN, "violation_evidence": EVIDENCE_ID},
    ),
    # `party` answers for it from now on.
    "incident.assigned": _kind("incident engagement party"),
    "incident.resolved": _kind(
        "incident engagement agent",
        {"outcome": Choice(OUTCOMES), "violations": COUNT},
        may={"clause": TOKEN},
    ),
    # Another agent of the route answers from now on; `engagement` and `agent` name that one,
    # `left` the engagement whose agent answered before.
    "route.switched": _kind("route engagement agent buyer", {"why": TOKEN}, may={"left": TOKEN}),
    # The same calls to a candidate, compared call by call; the verdict is valid at every look.
    "shadow.started": _kind(
        "shadow engagement agent agent_version buyer",
        {"most_calls": COUNT, "share_bps": BPS, "tolerance_bps": BPS},
        digests="terms",
    ),
    "shadow.concluded": _kind(
        "shadow engagement agent agent_version buyer",
        {
            "outcome": Choice(("better", "worse", "undetermined")),
            "pairs": COUNT,
            "nulls": COUNT,
            "method": TOKEN,
        },
        digests="terms",
    ),
    # One call again: how many clauses were decided both times, and how many of them differently.
    "call.replayed": _kind(
        "replay engagement agent agent_version buyer",
        {"clauses": COUNT, "changed": COUNT},
        digests="input fingerprint terms",
        may_digests="output",
    ),
    # Nothing is sent to it any more: it said it is gone, or did not answer for days.
    "hook.disabled": _kind("hook party", {"reason": TOKEN}),
}
