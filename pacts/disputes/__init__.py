"""Disputes: one side challenges the outcome, the other answers, the rule or a person decides.

The door to everything a dispute is; what is pure lies in `pacts.procedure` (clocks, limits, what is
plain, redaction). An offer of a split is `settlement.cancellations`: possible at any time, and
accepting it settles the dispute. Settlement opens a dispute (`settlement.escrow.dispute`) and
follows its end, in the transaction that moves the money.
"""

from pacts.disputes.assigning import assign, recuse
from pacts.disputes.exhibits import ExhibitErased, add_exhibit, read_body, text_of
from pacts.disputes.filing import answer_dispute, close, open_dispute, rest, withdraw
from pacts.disputes.interests import has_interest, interest_of, parties_of, sides_of, tie_of
from pacts.disputes.moving import advance, advance_due, locked
from pacts.disputes.precedents import PrecedentRefused
from pacts.disputes.rates import lost_lately
from pacts.disputes.rechecking import follow_due
from pacts.disputes.refusals import (
    ConflictOfInterest,
    DisputeAlreadyOpen,
    DisputeClosed,
    DisputeRefused,
    ExhibitRefused,
    NotAnAdjudicator,
    NotYetRipe,
    RulingIncomplete,
    TooManyDisputes,
)
from pacts.disputes.rulings import (
    appeal,
    confirm,
    rule,
    waiting_ruling,
)

__all__ = [
    "ConflictOfInterest",
    "DisputeAlreadyOpen",
    "DisputeClosed",
    "DisputeRefused",
    "ExhibitErased",
    "ExhibitRefused",
    "NotAnAdjudicator",
    "NotYetRipe",
    "PrecedentRefused",
    "RulingIncomplete",
    "TooManyDisputes",
    "add_exhibit",
    "advance",
    "advance_due",
    "answer_dispute",
    "appeal",
    "assign",
    "close",
    "confirm",
    "follow_due",
    "has_interest",
    "interest_of",
    "locked",
    "lost_lately",
    "open_dispute",
    "parties_of",
    "read_body",
    "recuse",
    "rest",
    "rule",
    "sides_of",
    "text_of",
    "tie_of",
    "waiting_ruling",
    "withdraw",
]
