"""Why money waits or moved: a code for programs, a sentence for people, and whose fault it was.

One visible table. A fault names who let a deadline pass or broke the promise; "" is nobody. A
timeout names the deadline. A measurement that came too late is the platform's (`attribute`).
"""

from dataclasses import dataclass
from typing import Literal

Fault = Literal["", "builder", "buyer", "platform", "adjudicator"]
# Which deadline passed. Each has a party whose part it was to act by then.
Timeout = Literal[
    "",
    "submission",
    "acceptance",
    "evaluation",
    "response",
    "evidence",
    "adjudication",
    "funding",
]


@dataclass(frozen=True, slots=True)
class Reason:
    """One row of the table."""

    sentence: str
    fault: Fault = ""
    timeout: Timeout = ""


REASONS: dict[str, Reason] = {
    # waiting
    "awaiting_delivery": Reason("The work is awaited."),
    "under_evaluation": Reason("The work is being evaluated."),
    "awaiting_acceptance": Reason(
        "The verdict is in. The buyer may accept or dispute; silence is acceptance."
    ),
    "curing": Reason(
        "The pact was breached. The builder may deliver a revision or dispute the verdict.",
        "builder",
    ),
    "revision_under_evaluation": Reason("A revision is being evaluated.", "builder"),
    "not_proved": Reason(
        "The verdict is undetermined, and the pact withholds the money until there is proof."
    ),
    "extended": Reason("The verdict is undetermined; the pact gives one more window for evidence."),
    "control_withholds": Reason(
        "A control on this agent fired, so silence does not pay for now. The buyer may accept."
    ),
    "disputed": Reason("A dispute is open; the money waits for the ruling."),
    "ruling_unconfirmed": Reason("A ruling was made and waits for a second adjudicator."),
    "ruling_challengeable": Reason(
        "A ruling was made. It takes effect when the time to appeal it is over."
    ),
    "appealed": Reason("The ruling was appealed; somebody else looks at the case."),
    "human_review": Reason("The verdict is undetermined; a person will decide, as the pact says."),
    # paid
    "accepted": Reason("The buyer accepted the verdict."),
    "accepted_anyway": Reason("The buyer accepted the work without a met verdict."),
    "silence": Reason(
        "The verdict was not challenged in the acceptance window.", "buyer", "acceptance"
    ),
    "undetermined_released": Reason(
        "The verdict is undetermined, and the pact then pays in full unless challenged.",
        "buyer",
        "acceptance",
    ),
    "undetermined_prorated": Reason(
        "The verdict is undetermined, and the pact then pays the measured share unless challenged.",
        "buyer",
        "acceptance",
    ),
    "breach_prorated": Reason(
        "The breach was not cured, and the pact then pays the measured share.",
        "builder",
        "submission",
    ),
    "ruled": Reason("The dispute was ruled on, and the ruling stands."),
    "appeal_unheard": Reason(
        "Nobody ruled on the appeal in time, so the first ruling stands.",
        "adjudicator",
        "adjudication",
    ),
    "unanswered_by_buyer": Reason(
        "The buyer did not answer the dispute in time, so the builder is paid in full.",
        "buyer",
        "response",
    ),
    # returned
    "breach_not_cured": Reason("The breach was not cured in time.", "builder", "submission"),
    "nothing_delivered": Reason(
        "Nothing was delivered by the agreed time.", "builder", "submission"
    ),
    "still_not_proved": Reason(
        "The promise was not proved in the time the pact gives.", "builder", "evidence"
    ),
    "unanswered_by_builder": Reason(
        "The builder did not answer the dispute in time, so the money returned to the buyer.",
        "builder",
        "response",
    ),
    "dispute_unruled": Reason(
        "Nobody ruled before the backstop, so the principal returned to the buyer.",
        "adjudicator",
        "adjudication",
    ),
    "review_withdrawn": Reason("The review the pact asks for was withdrawn."),
    "given_back": Reason("The builder gave the money back."),
    # by both
    "agreed": Reason("Both sides agreed how the money splits."),
    # never funded
    "not_funded": Reason("Nothing was set aside in the agreed time.", "buyer", "funding"),
}
# Where these end what nobody measured in time, the missed evaluation is the cause.
_FOLLOW_A_LATE_EVALUATION = {
    "undetermined_released",
    "undetermined_prorated",
    "still_not_proved",
}


def attribute(code: str, *, evaluation_was_late: bool) -> tuple[Timeout, Fault]:
    """Which deadline led to this outcome, and whose fault that (or the breach) was; "" is none."""
    if evaluation_was_late and code in _FOLLOW_A_LATE_EVALUATION:
        return "evaluation", "platform"
    reason = REASONS[code]
    return reason.timeout, reason.fault
