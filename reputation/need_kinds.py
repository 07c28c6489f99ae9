"""The kinds of evidence that needs and sealed offers leave: committed, then opened together."""

from collections.abc import Mapping

from reputation.facts import AMOUNT, COUNT, CURRENCY, INSTANT, TOKEN, Choice
from reputation.kind import Kind
from reputation.kind import kind as _kind

NEED_KINDS: Mapping[str, Kind] = {
    # What a buyer asks of any agent, signed by the buyer alone; nobody has promised it.
    "pact.asked": _kind(
        "pact pact_version buyer", {"number": COUNT, "clauses": COUNT}, digests="terms"
    ),
    "need.posted": _kind(
        "need party pact_version",
        {
            "work": TOKEN,
            "ceiling": AMOUNT,
            "currency": CURRENCY,
            "offers_until": INSTANT,
            "choose_until": INSTANT,
        },
        digests="terms",
    ),
    # Until the deadline the log says that an offer was made, and neither whose it is nor what it
    # says: `commitment` is SHA-256 over the canonical document with a nonce of 256 bits.
    "offer.sealed": _kind("need offer", {"offers_until": INSTANT}, digests="commitment"),
    "offer.taken_back": _kind("need offer", {"outcome": Choice(("replaced", "withdrawn"))}),
    # Every part of the document: whoever puts it together again finds the commitment.
    "offer.revealed": _kind(
        "need offer party agent agent_version",
        {"price": AMOUNT, "currency": CURRENCY, "work_seconds": COUNT},
        digests="commitment nonce note terms",
    ),
    "need.revealed": _kind("need party", {"offers": COUNT, "choose_until": INSTANT}),
    # Told to each who offered, once it is over.
    "offer.ended": _kind(
        "need offer party", {"outcome": Choice(("picked", "passed_over", "unfit"))}
    ),
    "need.closed": _kind(
        "need party",
        {"outcome": Choice(("picked", "no_pick", "no_offers", "withdrawn"))},
        may={"offers": COUNT},
    ),
}
