"""What would happen to the money: every way a milestone can end, as data."""

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import foretelling
from marketplace.api.engagements import OfEngagements
from marketplace.api.fields import AmountField
from marketplace.api.negotiations import OfNegotiations
from marketplace.api.nouns import Noun
from marketplace.foretelling import Foretold
from marketplace.models import Listing
from reputation.clock import database_now
from settlement.ways import Way


class WaySerializer(serializers.Serializer[Way]):
    """One end. Up to `at` whoever is awaited may still act; strictly after it the money moves."""

    key = serializers.CharField()
    code = serializers.CharField(help_text="The reason the escrow would state.")
    at = serializers.DateTimeField(help_text="With every step taken at the last moment for it.")
    share_bps = serializers.IntegerField()
    released = AmountField()
    fee = AmountField()
    refunded = AmountField()
    bond_to = serializers.CharField(allow_blank=True, help_text="buyer, builder, or nothing.")
    is_example = serializers.BooleanField(
        help_text="Whether the share is an example, because only a measurement or a person says it."
    )


class DepositsSerializer(serializers.Serializer[dict[str, int]]):
    buyer = AmountField(required=False)
    builder = AmountField(required=False)


class ForetoldSerializer(serializers.Serializer[Foretold]):
    """One milestone, as if it were funded at `funded_at` (or since it was)."""

    title = serializers.CharField(allow_blank=True)
    amount = AmountField(source="agreed.amount")
    bond = AmountField(source="agreed.bond")
    currency = serializers.CharField()
    funded_at = serializers.DateTimeField()
    dispute_track = serializers.CharField(source="track", help_text="full or small.")
    needs_second_adjudicator = serializers.BooleanField(source="needs_second")
    filing_deposits = DepositsSerializer(
        source="deposits", help_text="What each side would set aside to dispute now."
    )
    ways = WaySerializer(many=True)


class ForetoldListSerializer(serializers.Serializer[list[Foretold]]):
    milestones = ForetoldSerializer(many=True)


class ListingWays(Noun):
    """Every way one milestone at a listing's own terms can end, if it is funded now."""

    gives = ForetoldSerializer

    def get(self, request: Request, id: str) -> Response:
        listings = Listing.objects.select_related("pact_version")
        found = self.find(listings, pk=id)
        return Response(self.shown(foretelling.of_listing(found, now=database_now())))


class MilestoneWays(OfEngagements):
    """Every way a milestone can end, from its funding, or as if it were funded now."""

    gives = ForetoldSerializer

    def get(self, request: Request, id: str) -> Response:
        rows = self.milestones().select_related(
            "engagement__pact_version", "engagement__buyer", "engagement__builder"
        )
        return Response(
            self.shown(foretelling.of_milestone(self.find(rows, pk=id), now=database_now()))
        )


class ProposalWays(OfNegotiations):
    """Every way each milestone of an offer can end, if it is accepted and funded now."""

    gives = ForetoldListSerializer

    def get(self, request: Request, id: str) -> Response:
        found = foretelling.of_proposal(self.proposal(), now=database_now())
        return Response(self.shown({"milestones": found}))
