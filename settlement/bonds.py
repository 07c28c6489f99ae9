"""When a builder's bond goes to the buyer. Pure; the rule both sides signed is `BOND_RULE`.

A bond moves only on objective evidence: the outcome follows a verdict in which a critical clause
was breached (a dispute the builder left unanswered lets it stand), or a ruling that awards the
builder nothing. Whatever else ends the escrow (time, a
gift, an agreement, a ruling that awards something) returns it.
"""

_FOLLOWS_A_BREACH = {"breach_not_cured", "breach_prorated", "unanswered_by_builder"}


def is_slashed(*, code: str, share_bps: int, breached_critical: bool) -> bool:
    """Whether the bond goes to the buyer when an escrow ends for this reason, with this share."""
    if code in ("ruled", "appeal_unheard"):
        return share_bps == 0
    return code in _FOLLOWS_A_BREACH and breached_critical
