"""Terms that are talked about in the market of one of everything."""

from dataclasses import replace

from django.utils.timezone import now as clock

from marketplace import negotiating
from marketplace.models import Listing
from pacts.models import TaskSetVersion
from tests import cast


def talked_about(alice: cast.Actor, listing: Listing, tasks: TaskSetVersion) -> dict[str, str]:
    """alice offers terms of her own for a listing; nobody has answered. Ids by noun."""
    listed = negotiating.listed_terms(listing, [tasks], now=clock())
    offer = negotiating.begin(
        listing=listing,
        speaker=negotiating.Speaker(party=alice.party, by=alice.user, authority="member:owner"),
        offered=replace(listed, max_revisions=listed.max_revisions + 1),
        note="One more revision, please.",
        now=clock(),
    )
    return {"negotiation": offer.negotiation_id, "proposal": offer.id}
