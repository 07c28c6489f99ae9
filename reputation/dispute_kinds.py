"""The kinds of evidence a dispute leaves, from its opening to the precedent it publishes."""

from collections.abc import Mapping

from reputation.facts import (
    AMOUNT,
    BPS,
    COUNT,
    CURRENCY,
    EVIDENCE_ID,
    INSTANT,
    TOKEN,
    YES,
    Choice,
)
from reputation.kind import FAULTS, Kind
from reputation.kind import kind as _kind

DISPUTE_KINDS: Mapping[str, Kind] = {
    # Version 2 says which side opened it; version 3 may say on which path, what was set aside for
    # it, how many clauses it contests and until when the other side may answer.
    "dispute.opened": _kind(
        "dispute engagement party",
        {"ground": TOKEN},
        may={
            "side": Choice(("buyer", "builder")),
            "track": Choice(("full", "small")),
            "deposit": AMOUNT,
            "currency": CURRENCY,
            "clauses": COUNT,
            "answer_by": INSTANT,
        },
        may_digests="statement",
        version=3,
    ),
    "dispute.answered": _kind("dispute engagement party", {"side": Choice(("buyer", "builder"))}),
    # Every step but the last: `by_silence` if the deadline before it passed.
    "dispute.advanced": _kind(
        "dispute engagement", {"state": TOKEN, "due": INSTANT}, may={"by_silence": YES}
    ),
    # The digest is over a salt and the body; both are kept apart and can be erased.
    "exhibit.added": _kind(
        "exhibit dispute engagement party", {"media": TOKEN, "size": COUNT}, digests="body"
    ),
    "adjudicator.assigned": _kind("dispute adjudicator"),
    "adjudicator.recused": _kind("dispute adjudicator"),
    # `party` owed the other side an answer and let its time pass: it loses, without a ruling.
    "dispute.defaulted": _kind("dispute engagement party", {"side": Choice(("buyer", "builder"))}),
    # Version 2 says by whom (`rule` or `person`) and on which level (2 is the appeal). Those are
    # final, and count, with the `dispute.closed` that follows; one that waits for a second person
    # is nothing before `ruling.reviewed` confirms it.
    "ruling.made": _kind(
        "ruling dispute engagement",
        {"outcome": TOKEN, "builder_share_bps": BPS},
        may={
            "verdict_evidence": EVIDENCE_ID,
            "level": COUNT,
            "by": Choice(("rule", "person")),
            "awaits_second": YES,
        },
        may_digests="reasons",
        version=2,
    ),
    "ruling.reviewed": _kind(
        "ruling dispute engagement adjudicator", {"confirmed": YES, "ruling_evidence": EVIDENCE_ID}
    ),
    "dispute.appealed": _kind(
        "appeal dispute engagement party", {"side": Choice(("buyer", "builder"))}
    ),
    # The end of a dispute, beside what its money did. `measured_bps` is what the builder would
    # have had without it, `lost_by` the side it went against, if one did.
    "dispute.closed": _kind(
        "dispute engagement",
        {"outcome": Choice(("ruled", "settled", "withdrawn", "defaulted", "unruled"))},
        may={
            "builder_share_bps": BPS,
            "measured_bps": BPS,
            "lost_by": Choice(("buyer", "builder")),
            "fault": Choice(FAULTS),
            "ruling_evidence": EVIDENCE_ID,
            "verdict_evidence": EVIDENCE_ID,
        },
    ),
    "filing.ended": _kind(
        "dispute party",
        {"outcome": Choice(("returned", "forfeited")), "deposit": AMOUNT, "currency": CURRENCY},
    ),
    "precedent.published": _kind(
        "precedent dispute", {"ground": TOKEN, "builder_share_bps": BPS}, digests="reasons"
    ),
    "precedent.reviewed": _kind("precedent dispute adjudicator", digests="reasons"),
}
