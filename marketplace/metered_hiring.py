"""Hiring a listed agent by the meter: the listing's agent, pact and clocks at an offered price."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from marketplace import hiring, screening
from marketplace.models import Listing
from pacts.metering import MeteringTerms
from pacts.models import Party, User
from settlement import engagements as signing
from settlement import meters
from settlement.models import Meter


def hire(
    *,
    listing: Listing,
    buyer: Party,
    metering: MeteringTerms,
    by: User,
    authority: str,
    now: datetime,
) -> Meter:
    """Offer a metered hire and sign it for the buyer; the builder signs for itself.

    Raises `marketplace.hiring.ListingClosed`, `pacts.engagements.EngagementRefused`,
    `settlement.escrow.ExposureExceeded`.
    """
    hiring.refuse_closed(listing, now)
    with transaction.atomic():
        meter = meters.propose(
            metering=metering,
            buyer=buyer,
            agent_version=listing.agent_version,
            pact_version=listing.pact_version,
            currency=listing.currency,
            fee_bps=settings.PLATFORM_FEE_BPS,
            fee_bands=hiring.fee_bands_in(listing.currency),
            timers=hiring.timers_of(listing),
            longest_hold_seconds=hiring.longest_hold_seconds(),
            by=by,
            now=now,
        )
        signing.sign(engagement=meter.engagement, party=buyer, by=by, authority=authority, now=now)
        screening.note_choice(engagement=meter.engagement, listing=listing, now=now)
    return meter
