"""Standing, explained: its signals, what moved it, buyers' records, and credentials to carry."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import credentials
from marketplace.api.fields import AmountField, IdField, WholeField
from marketplace.api.nouns import Lists, Makes, Noun
from marketplace.models import Listing, StandingCredential
from marketplace.weakening import stricter_before
from pacts.models import Agent, AgentVersion, Party
from reputation import indicators, queries
from reputation.clock import database_now
from reputation.indicators import BuyerRecord, Signals
from reputation.models import StandingPoint
from settlement.kinship import ties_of
from settlement.limits import room_for
from settlement.turnover import Turnover, turnover_of


class TurnoverSerializer(serializers.Serializer[Turnover]):
    """Settled hires in money: `settled` is `earned` (fees included) and `returned`."""

    currency = serializers.CharField()
    hires = serializers.IntegerField(help_text="Milestones whose money had its outcome.")
    settled = AmountField()
    earned = AmountField()
    returned = AmountField()
    held = AmountField(help_text="In escrow now.")
    bonds_held = AmountField(source="staked")
    bonds_lost = AmountField(source="slashed", help_text="They went to buyers.")


class StakeSerializer(serializers.Serializer[Listing]):
    amount = AmountField(source="bond")
    currency = serializers.CharField()


class SignalsSerializer(serializers.Serializer[Signals]):
    """The five signals of one version. Rates are basis points; null is not known yet."""

    agent = serializers.CharField(source="agent_id")
    agent_version = serializers.CharField(source="version_id", allow_null=True)
    benchmark_fit_bps = serializers.IntegerField(
        allow_null=True, help_text="10,000 less the distance of the claim from what was measured."
    )
    claim_bps = serializers.IntegerField(allow_null=True)
    compliance_bps = serializers.IntegerField(
        allow_null=True, help_text="Met among counted verdicts that were met or breached."
    )
    confidence_bps = serializers.IntegerField(
        allow_null=True, help_text="10,000 less the width of the widest interval."
    )
    freshness_seconds = serializers.SerializerMethodField(
        help_text="Age of the newest counted evidence."
    )
    disputes_per_100 = serializers.FloatField(
        allow_null=True, help_text="Disputes lost per 100 counted tasks."
    )
    verdicts = serializers.IntegerField()
    tasks = serializers.IntegerField()
    rulings = serializers.IntegerField()
    disputes = serializers.IntegerField()
    evaluations_started = serializers.IntegerField(help_text="Logged before they started.")
    evaluations_concluded = serializers.IntegerField()
    own_evaluations = serializers.IntegerField(help_text="Started by the builder; never counted.")
    money = serializers.SerializerMethodField(
        help_text="Per currency, over every version: beside the standing and in no number of it."
    )
    bond = serializers.SerializerMethodField(
        help_text="What the offer stakes on each milestone; null without an offer."
    )

    weaker_than = serializers.SerializerMethodField(
        help_text="The earlier version of the pact on offer that promised more, or may have; else "
        "null. Work under it counts, and proves no more than the pact on offer promises."
    )

    def get_weaker_than(self, found: Signals) -> str | None:
        listing = Listing.objects.filter(agent_id=found.agent_id).select_related("pact_version")
        offer = listing.first()
        before = stricter_before(offer.pact_version) if offer else None
        return before.pk if before else None

    def get_freshness_seconds(self, found: Signals) -> int | None:
        return int(found.freshness.total_seconds()) if found.freshness is not None else None

    @extend_schema_field(TurnoverSerializer(many=True))
    def get_money(self, found: Signals) -> Any:
        return [TurnoverSerializer(one).data for one in turnover_of(agent_id=found.agent_id)]

    @extend_schema_field(StakeSerializer(allow_null=True))
    def get_bond(self, found: Signals) -> Any:
        listing = Listing.objects.filter(agent_id=found.agent_id).first()
        return StakeSerializer(listing).data if listing else None


class ExposureSerializer(serializers.Serializer[Any]):
    """What may be held on an agent at once, in its offer's currency, and why."""

    currency = serializers.CharField()
    limit = AmountField()
    because = serializers.CharField()
    held = AmountField(help_text="On all the agents that share the limit.")
    sharing = serializers.IntegerField(help_text="Agents that share it, this one included.")
    connected = serializers.IntegerField(help_text="Of those, agents of connected parties.")
    ties = serializers.ListField(
        child=serializers.CharField(),
        help_text="By what its builder is connected with others; told to the builder alone.",
    )


class AgentExposure(Noun):
    """How much money may be held on an agent: it follows its standing and its builder's past."""

    gives = ExposureSerializer

    def get(self, request: Request, id: str) -> Response:
        agent = self.find(Agent.objects.select_related("listing"), pk=id)
        listing: Listing | None = getattr(agent, "listing", None)
        version = listing.agent_version_id if listing else None
        now = database_now()
        standing = queries.standing_of(agent_id=agent.id, version_id=version, now=now)
        currency = listing.currency if listing else "EUR"
        room = room_for(
            agent_id=agent.id, version_id=standing.version_id or "", currency=currency, now=now
        )
        content = {
            "currency": currency,
            "limit": room.limit.amount,
            "because": room.limit.because,
            "held": room.held,
            "sharing": room.sharing,
            "connected": room.kin,
            "ties": ties_of(party_id=agent.builder_id) if agent.builder_id == self.own else [],
        }
        return Response(self.shown(content))


class StandingSignals(Noun):
    """The signals of the version with the newest evidence, or of `?agent_version=`."""

    gives = SignalsSerializer

    def get(self, request: Request, id: str) -> Response:
        agent = self.find(Agent.objects.all(), pk=id)
        named = request.query_params.get("agent_version")
        version = self.find(agent.versions.all(), pk=named) if named else None
        found = indicators.signals_of(
            agent_id=agent.id, version_id=version.id if version else None, now=database_now()
        )
        return Response(self.shown(found))


class StandingPointSerializer(serializers.ModelSerializer[StandingPoint]):
    """One thing that moved a standing. `changes`: dimension → passes and failures it added."""

    agent = serializers.CharField(source="agent_id")
    agent_version = serializers.CharField(source="version_id")
    evidence = serializers.CharField(source="evidence_id")
    cause = serializers.CharField(source="cause_id", help_text="By which it began to count.")
    changes = serializers.DictField(child=serializers.ListField(child=serializers.IntegerField()))
    buyer_weight_permille = serializers.IntegerField(source="permille")

    class Meta:
        model = StandingPoint
        fields = [
            "agent",
            "agent_version",
            "evidence",
            "cause",
            "kind",
            "at",
            "changes",
            "buyer_weight_permille",
            "score_bps",
            "shown_bps",
            "confidence_bps",
            "is_vouched",
            "status",
            "units",
            "freshness_seconds",
            "claim_bps",
            "met",
            "breached",
            "tasks",
            "disputes",
        ]


class StandingHistory(Lists):
    """What moved an agent's standings, newest first, each with its evidence; every version's."""

    gives = StandingPointSerializer

    def get_queryset(self) -> QuerySet[StandingPoint]:
        agent = self.find(Agent.objects.all(), pk=self.kwargs["id"])
        return StandingPoint.objects.filter(agent_id=agent.pk)


class BuyerRecordSerializer(serializers.Serializer[BuyerRecord]):
    """What the log says of a buyer; rates are basis points, null without anything to divide by."""

    buyer = serializers.CharField(source="buyer_id")
    hires = serializers.IntegerField()
    disputes = serializers.IntegerField()
    rulings = serializers.IntegerField()
    upheld = serializers.IntegerField()
    silences = serializers.IntegerField()
    builders = serializers.IntegerField(help_text="Established builders it hired.")
    dispute_bps = serializers.IntegerField(allow_null=True)
    overturn_bps = serializers.IntegerField(allow_null=True)
    silence_bps = serializers.IntegerField(allow_null=True)


class BuyerStandings(Noun):
    """A buyer's disputes, what became of them, and its silence: to read before accepting work."""

    gives = BuyerRecordSerializer

    def get(self, request: Request, id: str) -> Response:
        party = self.find(Party.objects.all(), pk=id)
        return Response(self.shown(indicators.buyer_of(buyer_id=party.pk)))


class CredentialSerializer(serializers.ModelSerializer[StandingCredential]):
    """`jws` is the credential; the rest says whether it still stands."""

    agent = serializers.CharField(source="agent_id")
    agent_version = serializers.CharField(source="agent_version_id")
    dimensions = serializers.ListField(child=serializers.CharField())
    status = serializers.SerializerMethodField(help_text="valid, expired or revoked")
    jws = serializers.CharField(source="text")

    class Meta:
        model = StandingCredential
        fields = [
            "id",
            "agent",
            "agent_version",
            "audience",
            "dimensions",
            "status",
            "issued_at",
            "expires_at",
            "revoked_at",
            "jws",
        ]

    def get_status(self, credential: StandingCredential) -> str:
        return credentials.status_of(credential, now=database_now())


class NewCredentialSerializer(serializers.Serializer[StandingCredential]):
    agent_version = IdField()
    dimensions = serializers.ListField(
        child=serializers.CharField(max_length=80), default=list, max_length=50
    )
    audience = serializers.CharField(max_length=120, allow_blank=True, default="")
    days = WholeField(min_value=1, max_value=credentials.LONGEST.days, default=30)


class Credentials(Lists, Makes):
    """The acting builder's credentials. POST signs what the log says of a version now."""

    gives = CredentialSerializer
    takes = NewCredentialSerializer

    def get_queryset(self) -> QuerySet[StandingCredential]:
        return StandingCredential.objects.filter(agent__builder_id=self.own)

    def create(self, given: dict[str, Any], now: datetime) -> StandingCredential:
        versions = AgentVersion.objects.filter(agent__builder_id=self.own)
        version = self.find(versions, pk=given.pop("agent_version"))
        return credentials.issue(agent_version=version, now=now, **given)


class OneCredential(Noun):
    """Whether a credential stands: for whoever was shown one. DELETE revokes it, for good."""

    gives = CredentialSerializer

    def get(self, request: Request, id: str) -> Response:
        return Response(self.shown(self.find(StandingCredential.objects.all(), pk=id)))

    def delete(self, request: Request, id: str) -> Response:
        rows = StandingCredential.objects.filter(agent__builder_id=self.own)
        found = self.find(rows, pk=id)
        return Response(self.shown(credentials.revoke(credential=found, now=database_now())))


class JwkSerializer(serializers.Serializer[Any]):
    kty = serializers.CharField()
    crv = serializers.CharField()
    use = serializers.CharField()
    alg = serializers.CharField()
    kid = serializers.CharField()
    x = serializers.CharField()


class JwksSerializer(serializers.Serializer[Any]):
    keys = JwkSerializer(many=True)


class Jwks(Noun):
    """The keys that verify credentials, as a JWK set (RFC 7517)."""

    gives = JwksSerializer

    def get(self, request: Request) -> Response:
        return Response(credentials.jwks())
