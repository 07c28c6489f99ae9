"""Words that come from rows: states, kinds and codes, said in the visitor's language."""

from collections.abc import Iterable

from django.utils.functional import lazy
from django.utils.translation import gettext

from marketplace import refused


def known(*labels: str) -> frozenset[str]:
    """The labels that catalogues have; they are filled from the call below."""
    return frozenset(labels)


# fmt: off
LABELS = known(
    "Abandoned", "Abstain", "Accepted", "Accuracy", "Act", "Active", "Adversarial", "Age", "Agent",
    "Agreed", "Amount", "Appealed", "Assigned", "Audit", "Best", "Better", "Bond", "Bond hold",
    "Bond returned", "Bond slashed", "Bound", "Breach", "Breached", "Budget", "Builder", "Buyer",
    "By e-mail", "By party", "Calibration", "Calls", "Cancelled", "Challenge window", "Changed",
    "Citations", "Classification", "Closed", "Closing", "Coding", "Completeness", "Concluded",
    "Confident", "Confirmed", "Consistency", "Cost", "Countered", "Counterparty", "Critical",
    "Currency", "Data extraction", "Dates", "Declined", "Defaulted", "Degraded", "Delivered",
    "Deposit", "Digests", "Done", "Draw", "Dry run", "Duplicated", "Editor", "Ended", "Engagement",
    "Escalation", "Escrow", "Evaluator", "Evidence locked", "Evidence open", "Expired", "Extend",
    "Extraction", "Fail", "Failed", "Failing", "False alarm", "Fees", "Fell", "Filing",
    "Filing forfeited", "Filing hold", "Filing returned", "Finance", "Fixed", "Forfeited",
    "Format", "Frozen", "Full", "Funding", "Given up", "Gone", "Grounding", "Guard", "Held",
    "Hint", "Hold", "Holdback", "Honesty", "Human review", "In the app", "Independent",
    "Invalid input", "Jump", "Language", "Language identification", "Lapsed", "Latched", "Late",
    "Latency", "Ledger", "Listed", "Loud", "Mail", "Major", "Met", "Meter", "Meter drawn",
    "Meter funded", "Meter holdback", "Meter returned", "Milestone", "Minor", "Misrepresentation",
    "Missing here", "Missing there", "Money", "Negotiating", "No offers", "No pick",
    "Non delivery", "None", "Not counted", "Noted", "Null", "Offer", "One buyer", "Open", "Opened",
    "Organisation", "Overtaken", "Owner", "Packing", "Pact", "Paid", "Party", "Pass",
    "Passed over", "Paused", "Payout", "Payout hold", "Payout paid", "Payout returned", "Pending",
    "Performance", "Person", "Picked", "Ping", "Platform", "Price", "Privacy", "Processing",
    "Proposed", "Prorate", "Quality", "Queued", "Rail", "Re evaluated", "Ready", "Recovered",
    "Refund", "Refunded", "Release", "Released", "Reliability", "Replaced", "Rerun", "Research",
    "Resolved", "Retired", "Retrieval", "Return", "Returned", "Revealed", "Ring", "Robustness",
    "Routed", "Ruled", "Running", "Safety", "Sample", "Scope", "Screening", "Self", "Self dealing",
    "Self run", "Settled", "Silent", "Skipped", "Slashed", "Small", "Sound", "Speed", "Split",
    "Standing", "State", "Stopped", "Succeeded", "Summarisation", "Superseded", "Support",
    "Suspended", "Terms", "Text", "Text to SQL", "Third party", "Time", "Tone", "Top up",
    "Translation", "Trial", "Under review", "Undetermined", "Unfit", "Unfunded", "Unknown",
    "Unruled", "Unseen", "Viewer", "Violation", "Waiting", "Warn", "Withdrawn", "Withheld",
    "Withhold", "Worse", "Worsened",
    "Backstop", "Challenge of the ruling", "Confirmation by a second person", "Evidence on appeal",
    "Non-delivery", "Second check of the stored answers", "The desk should have ruled",
)
# fmt: on


def said(label: str) -> str:
    """A label in the visitor's language, whatever its case; what no catalogue knows stays."""
    if not label:
        return label
    found = gettext(label)
    if found != label:
        return found
    plain = f"{label[:1].upper()}{label[1:].lower()}"
    if plain in LABELS and (gettext(plain) != plain or label[:1].isupper()):
        return gettext(plain)
    return refused.said(label)


def choices(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """A form's choices from a row's: the same values, each label said when it is drawn."""
    return [(value, _lazily(label)) for value, label in pairs]


def inside(label: str) -> str:
    """A label inside a sentence: English writes it small, German keeps a noun's capital."""
    plain = f"{label[:1].upper()}{label[1:].lower()}".replace("_", " ")
    found = said(plain)
    return found if found != plain else label.lower()


_lazily = lazy(said, str)
