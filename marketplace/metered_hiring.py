"""Hiring a listed agent by the meter: the listing's agent, pact and clocks at an offered price."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from marketplace import hiring, policy, screening
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
    held = policy.at(now)
    with transaction.atomic():
        meter = meters.propose(
            metering=metering,
            buyer=buyer,
            agent_version=listing.agent_version,
            pact_version=listing.pact_version,
            currency=listing.currency,
            fee_bps=held.fee_bps,
            fee_bands=held.fee_bands_in(listing.currency),
            timers=replace(hiring.timers_of(listing), funding_seconds=held.funding_seconds),
            longest_hold_seconds=hiring.longest_hold_seconds(),
            by=by,
            now=now,
        )
        signing.sign(engagement=meter.engagement, party=buyer, by=by, authority=authority, now=now)
        screening.note_choice(engagement=meter.engagement, listing=listing, now=now)
    return meter
