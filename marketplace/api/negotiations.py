"""Talking about terms: offers, their answers, what each changed, and the text both sign."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import agreed_texts, negotiating
from marketplace.api.engagements import EngagementSerializer, OfEngagements
from marketplace.api.fields import AmountField, IdField, ObjectField, WholeField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from marketplace.api.pacts import ChangeSerializer
from marketplace.models import Listing
from marketplace.negotiating import Speaker
from pacts import evaluators, proposals, terms
from pacts.feasibility import LONGEST_TIMER, MOST_REVISIONS, Timers
from pacts.models import Engagement, Negotiation, Proposal, TaskSetVersion
from pacts.negotiations import LONGEST_NOTE, LONGEST_SECONDS, SHORTEST_SECONDS, USUAL_SECONDS
from pacts.offered import OfferedMilestone, OfferedTerms
from pacts.offered_changes import changes_between


class OfferedMilestoneSerializer(serializers.Serializer[Any]):
    title = serializers.CharField(max_length=120)
    amount = AmountField()
    task_set_version = IdField()
    bond = AmountField(required=False, default=0)


class TimersSerializer(serializers.Serializer[Any]):
    work_seconds = WholeField(min_value=1, max_value=LONGEST_TIMER)
    evaluation_seconds = WholeField(min_value=1, max_value=LONGEST_TIMER)
    acceptance_seconds = WholeField(min_value=0, max_value=LONGEST_TIMER)
    cure_seconds = WholeField(min_value=0, max_value=LONGEST_TIMER)
    funding_seconds = WholeField(min_value=1, max_value=LONGEST_TIMER)


class OfferedTermsSerializer(serializers.Serializer[Any]):
    """Everything that may be talked about, as the other side would sign it."""

    pact = ObjectField(help_text="The whole pact in the pact language, changed or not.")
    milestones = OfferedMilestoneSerializer(many=True, allow_empty=False)
    timers = TimersSerializer()
    max_revisions = WholeField(min_value=0, max_value=MOST_REVISIONS)


class ProposalSerializer(serializers.ModelSerializer[Proposal]):
    negotiation = serializers.CharField(source="negotiation_id")
    party = serializers.CharField(source="party_id", help_text="The side that offers.")
    terms = serializers.SerializerMethodField(help_text="Null once it was erased.")
    engagement = serializers.CharField(source="engagement_id", allow_null=True)

    class Meta:
        model = Proposal
        fields = [
            *("id", "negotiation", "number", "party", "state", "terms", "note", "fee_bps"),
            *("digest", "proposed_at", "expires_at", "closed_at", "engagement"),
        ]

    @extend_schema_field(OfferedTermsSerializer)
    def get_terms(self, proposal: Proposal) -> dict[str, Any] | None:
        return _shown(proposals.terms_of(proposal)) if proposal.terms else None


class NegotiationSerializer(serializers.ModelSerializer[Negotiation]):
    buyer = serializers.CharField(source="buyer_id")
    builder = serializers.CharField(source="builder_id")
    evaluator = serializers.CharField(source="evaluator_id", allow_null=True)
    agent = serializers.CharField(source="agent_version.agent_id")
    agent_version = serializers.CharField(source="agent_version_id")
    published_pact_version = serializers.CharField(source="published_id")
    newest = serializers.SerializerMethodField(help_text="The newest offer.")

    class Meta:
        model = Negotiation
        fields = [
            *("id", "state", "buyer", "builder", "evaluator", "agent", "agent_version"),
            *("published_pact_version", "currency", "opened_at", "closed_at", "newest"),
        ]

    @extend_schema_field(ProposalSerializer)
    def get_newest(self, negotiation: Negotiation) -> dict[str, Any]:
        newest = max(negotiation.proposals.all(), key=lambda one: one.number)
        return dict(ProposalSerializer(newest).data)


class OfferSerializer(serializers.Serializer[Proposal]):
    """One side's word."""

    terms = OfferedTermsSerializer()
    note = serializers.CharField(
        max_length=LONGEST_NOTE, required=False, default="", allow_blank=True
    )
    stands_seconds = WholeField(
        min_value=SHORTEST_SECONDS,
        max_value=LONGEST_SECONDS,
        required=False,
        default=USUAL_SECONDS,
        help_text="How long the other side may answer; up to the last moment.",
    )


class BeginningSerializer(OfferSerializer):
    listing = IdField()
    evaluator_offer = IdField(
        required=False,
        help_text="The third party's, for a pact with the independence `third_party`.",
    )


class TermChangeSerializer(serializers.Serializer[Any]):
    """A number or name that changed; `favours` is the side it is better for, if that is plain."""

    name = serializers.CharField()
    place = serializers.IntegerField(allow_null=True, help_text="The milestone's, from 0.")
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)
    favours = serializers.CharField(allow_blank=True)


class OfferedChangesSerializer(serializers.Serializer[Any]):
    terms = TermChangeSerializer(many=True)
    clauses = ChangeSerializer(many=True)


class ProposalChangesSerializer(serializers.Serializer[Any]):
    """What an offer changed: of the one before it, and of what everybody gets."""

    since_before = OfferedChangesSerializer()
    since_published = OfferedChangesSerializer()


class NegotiationFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=Negotiation.State.choices)
    agent = django_filters.CharFilter(field_name="agent_version__agent_id")
    buyer = django_filters.CharFilter(field_name="buyer_id")
    builder = django_filters.CharFilter(field_name="builder_id")


def _shown(offered: OfferedTerms) -> dict[str, Any]:
    return {
        "pact": terms.to_json(offered.pact),
        "milestones": OfferedMilestoneSerializer(offered.milestones, many=True).data,
        "timers": asdict(offered.timers),
        "max_revisions": offered.max_revisions,
    }


class OfNegotiations(Noun):
    """Negotiations that the acting party is a side of, and what is offered in them."""

    def negotiations(self) -> QuerySet[Negotiation]:
        sides = Q(buyer_id=self.own) | Q(builder_id=self.own)
        rows = Negotiation.objects.filter(sides).select_related(
            "agent_version__agent__builder", "published__pact__agent", "buyer", "builder"
        )
        return rows.prefetch_related("proposals")

    def proposals(self) -> QuerySet[Proposal]:
        sides = Q(negotiation__buyer_id=self.own) | Q(negotiation__builder_id=self.own)
        return Proposal.objects.filter(sides).select_related(
            "negotiation__agent_version__agent__builder",
            "negotiation__published__pact__agent",
            "negotiation__buyer",
            "negotiation__builder",
            "negotiation__evaluator",
        )

    def negotiation(self) -> Negotiation:
        return self.find(self.negotiations(), pk=self.kwargs["id"])

    def proposal(self) -> Proposal:
        return self.find(self.proposals(), pk=self.kwargs["id"])

    def speaker(self) -> Speaker:
        return Speaker(party=self.party, by=self.user, authority=self.authority)

    def offered(self, given: dict[str, Any]) -> OfferedTerms:
        """Terms as they were sent. Task sets are the caller's, the platform's or named before.
        Raises `pacts.terms.TermsError`."""
        for one in given["milestones"]:
            self.find(self._task_sets(), pk=one["task_set_version"])
        return OfferedTerms(
            pact=terms.parse(given["pact"]),
            milestones=tuple(OfferedMilestone(**one) for one in given["milestones"]),
            timers=Timers(**given["timers"]),
            max_revisions=given["max_revisions"],
        )

    def _task_sets(self) -> QuerySet[TaskSetVersion]:
        seen = Q(task_set__owner_id=self.own) | Q(task_set__owner=None)
        if "id" in self.kwargs:
            named = [
                version
                for one in self.negotiation().proposals.all()
                if one.terms
                for version in proposals.terms_of(one).task_set_versions
            ]
            seen |= Q(pk__in=named)
        seen |= Q(pk__in=evaluators.open_offers().values("task_set_version_id"))
        return TaskSetVersion.objects.filter(seen)


class Negotiations(OfNegotiations, Lists, Makes):
    """Negotiations. A POST is the buyer's first offer for a listing, on terms of its own."""

    gives = NegotiationSerializer
    takes = BeginningSerializer
    moves_money = True
    filterset_class = NegotiationFilter

    def get_queryset(self) -> QuerySet[Negotiation]:
        return self.negotiations()

    def create(self, given: dict[str, Any], now: datetime) -> Negotiation:
        listings = Listing.objects.select_related(
            "agent", "agent_version__agent__builder", "pact_version__pact__agent__builder"
        )
        named = given.get("evaluator_offer")
        made = negotiating.begin(
            listing=self.find(listings, pk=given["listing"]),
            speaker=self.speaker(),
            offered=self.offered(given["terms"]),
            note=given["note"],
            stands_seconds=given["stands_seconds"],
            evaluator_offer=self.find(evaluators.open_offers(), pk=named) if named else None,
            now=now,
        )
        return self.negotiations().get(pk=made.negotiation_id)


class OneNegotiation(OfNegotiations, Reads):
    """One negotiation with its newest offer."""

    gives = NegotiationSerializer

    def get_queryset(self) -> QuerySet[Negotiation]:
        return self.negotiations()


class Proposals(OfNegotiations, Lists, Makes):
    """The offers of one negotiation. A POST offers other terms; the open offer ends with it."""

    gives = ProposalSerializer
    takes = OfferSerializer
    moves_money = True

    def get_queryset(self) -> QuerySet[Proposal]:
        return self.proposals().filter(negotiation=self.negotiation())

    def create(self, given: dict[str, Any], now: datetime) -> Proposal:
        return negotiating.counter(
            negotiation=self.negotiation(),
            speaker=self.speaker(),
            offered=self.offered(given["terms"]),
            note=given["note"],
            stands_seconds=given["stands_seconds"],
            now=now,
        )


class OneProposal(OfNegotiations, Reads):
    """One offer: its terms, its note, and what became of it."""

    gives = ProposalSerializer

    def get_queryset(self) -> QuerySet[Proposal]:
        return self.proposals()


class ProposalChanges(OfNegotiations):
    """What an offer changed, clause by clause and number by number."""

    gives = ProposalChangesSerializer

    def get(self, request: Request, id: str) -> Response:
        found = self.proposal()
        new, listed = proposals.terms_of(found), proposals.listed_of(found.negotiation)
        last = found.negotiation.proposals.filter(number=found.number - 1).first()
        before = proposals.terms_of(last) if last and last.terms else listed
        return Response(
            self.shown(
                {
                    "since_before": changes_between(old=before or new, new=new),
                    "since_published": changes_between(old=listed or new, new=new),
                }
            )
        )


class ProposalText(OfNegotiations):
    """The text both would sign, with its digest."""

    gives = None

    @extend_schema(responses={200: ObjectField})
    def get(self, request: Request, id: str) -> Response:
        return Response(agreed_texts.of_proposal(self.proposal()))


class ProposalAcceptance(OfNegotiations, OfEngagements, Makes):
    """Signing the other side's offer: both signatures are set at this moment."""

    gives = EngagementSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Engagement:
        made = negotiating.accept(proposal=self.proposal(), speaker=self.speaker(), now=now)
        return self.engagements().get(pk=made.pk)


class ProposalDecline(OfNegotiations, Makes):
    """Saying no to the other side's offer, which ends the negotiation."""

    gives = ProposalSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Proposal:
        return negotiating.decline(proposal=self.proposal(), speaker=self.speaker(), now=now)


class ProposalWithdrawal(OfNegotiations, Makes):
    """Taking one's own offer back, which ends the negotiation."""

    gives = ProposalSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Proposal:
        return negotiating.withdraw(proposal=self.proposal(), speaker=self.speaker(), now=now)


class EngagementText(OfEngagements):
    """What both signed: the agreement, the pact, the signatures and the keys, to verify offline."""

    gives = None

    @extend_schema(responses={200: ObjectField})
    def get(self, request: Request, id: str) -> Response:
        return Response(agreed_texts.of_engagement(self.find(self.engagements(), pk=id)))
