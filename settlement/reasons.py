"""Why money waits or moved: a code for programs, a sentence for people, and whose fault it was.

One visible table. A fault names who let a deadline pass or broke the promise; "" is nobody.
"""

from dataclasses import dataclass
from typing import Literal

Fault = Literal["", "builder", "buyer", "platform", "adjudicator"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One row of the table."""

    sentence: str
    fault: Fault = ""


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
    "disputed": Reason("A dispute is open; the money waits for the ruling."),
    "human_review": Reason("The verdict is undetermined; a person will decide, as the pact says."),
    # paid
    "accepted": Reason("The buyer accepted the verdict."),
    "accepted_anyway": Reason("The buyer accepted the work without a met verdict."),
    "silence": Reason("The verdict was not challenged in the acceptance window."),
    "undetermined_released": Reason(
        "The verdict is undetermined, and the pact then pays in full unless challenged."
    ),
    "undetermined_prorated": Reason(
        "The verdict is undetermined, and the pact then pays the measured share unless challenged."
    ),
    "breach_prorated": Reason(
        "The breach was not cured, and the pact then pays the measured share.", "builder"
    ),
    "ruled": Reason("An adjudicator ruled on the dispute."),
    # returned
    "breach_not_cured": Reason("The breach was not cured in time.", "builder"),
    "nothing_delivered": Reason("Nothing was delivered by the agreed time.", "builder"),
    "still_not_proved": Reason("The promise was not proved in the time the pact gives."),
    "dispute_unruled": Reason(
        "Nobody ruled before the backstop, so the principal returned to the buyer.", "adjudicator"
    ),
    "review_withdrawn": Reason("The review the pact asks for was withdrawn."),
    "given_back": Reason("The builder gave the money back."),
}
