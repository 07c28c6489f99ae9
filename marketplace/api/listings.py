"""Listings and benchmark claims: what is offered, and what others measured of it."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

import django_filters
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import finding, hiring, policy
from marketplace.api.escrows import BandSerializer
from marketplace.api.fields import AmountField, CurrencyField, IdField, WholeField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from marketplace.finding import Search
from marketplace.languages import LANGUAGES
from marketplace.models import BenchmarkClaim, Listing
from marketplace.policy import Policy
from marketplace.weakening import stricter_among
from pacts.agents import PROTOCOLS
from pacts.feasibility import MOST_REVISIONS, Timers
from pacts.models import AgentVersion, Evaluation, ImportedRun, PactVersion
from reputation.clock import database_now
from reputation.models import StandingScore

YEAR = 366 * 86_400
USUAL = Timers()
TIMERS = ("work_seconds", "evaluation_seconds", "acceptance_seconds", "cure_seconds")


class ListingSerializer(serializers.ModelSerializer[Listing]):
    agent = serializers.CharField(source="agent_id")
    agent_name = serializers.CharField(source="agent.name")
    work = serializers.CharField(source="agent.work")
    builder = serializers.CharField(source="agent.builder_id")
    agent_version = serializers.CharField(source="agent_version_id")
    pact_version = serializers.CharField(source="pact_version_id")
    price = AmountField()
    bond = AmountField(help_text="What the builder stakes on each milestone; 0 is nothing.")
    rank = serializers.SerializerMethodField(
        help_text="What the market orders by, highest first: `score_bps`, and every vouched "
        "standing above every provisional one. Null has no number yet and comes last."
    )
    score_bps = serializers.SerializerMethodField(
        help_text="The lower bound of everything promised together, as of this hour."
    )
    weaker_than = serializers.SerializerMethodField(
        help_text="The earlier version of the pact that promised more, or may have; else null. Its "
        "work counts in the standing, and proves no more than the pact on offer promises."
    )
    fee_bps = serializers.SerializerMethodField(help_text="Of what is earned; the builder's side.")
    fee_bands = serializers.SerializerMethodField(help_text="Marginal rates; empty is `fee_bps`.")

    class Meta:
        model = Listing
        fields = [
            "id",
            "agent",
            "agent_name",
            "work",
            "builder",
            "agent_version",
            "pact_version",
            "weaker_than",
            "price",
            "currency",
            "bond",
            "rank",
            "score_bps",
            "fee_bps",
            "fee_bands",
            *TIMERS,
            "max_revisions",
            "languages",
            "signs_at_once",
            "state",
            "opened_at",
        ]

    def get_rank(self, listing: Listing) -> int | None:
        found = _score_of(listing)
        return found.rank if found else None

    def get_score_bps(self, listing: Listing) -> int | None:
        found = _score_of(listing)
        return found.score_bps if found else None

    @cached_property
    def held(self) -> Policy:
        """The policy that a hire made now would be held to; read once for a page of listings."""
        return policy.at(database_now())

    def get_weaker_than(self, listing: Listing) -> str | None:
        if "stricter" not in vars(listing):
            marks_onto([listing])
        found: PactVersion | None = vars(listing)["stricter"]
        return found.pk if found else None

    def get_fee_bps(self, listing: Listing) -> int:
        return self.held.fee_bps

    @extend_schema_field(BandSerializer(many=True))
    def get_fee_bands(self, listing: Listing) -> list[dict[str, Any]]:
        bands = self.held.fee_bands_in(listing.currency)
        return [{"above": str(above), "fee_bps": bps} for above, bps in bands]


def _score_of(listing: Listing) -> StandingScore | None:
    """The stored score of the version on offer: read with the listing, or on its own."""
    if "stored_score" not in vars(listing):
        scores_onto([listing])
    found: StandingScore | None = vars(listing)["stored_score"]
    return found


def scores_onto(listings: Sequence[Listing]) -> None:
    """Read the stored scores of many listings at once."""
    scores = StandingScore.objects.in_bulk([one.agent_version_id for one in listings])
    for one in listings:
        vars(one)["stored_score"] = scores.get(one.agent_version_id)


def marks_onto(listings: Sequence[Listing]) -> None:
    """Find which of many listings' pacts promise less than they did, at once."""
    versions = PactVersion.objects.in_bulk([one.pact_version_id for one in listings])
    stricter = stricter_among(versions.values())
    for one in listings:
        vars(one)["stricter"] = stricter.get(one.pact_version_id)


class OfferSerializer(serializers.Serializer[Listing]):
    agent_version = IdField()
    pact_version = IdField()
    price = AmountField()
    currency = CurrencyField()
    bond = AmountField(
        default=0,
        help_text="What you stake on each milestone: it goes to the buyer if a critical clause "
        "stays breached or a ruling awards nothing, and returns to you otherwise.",
    )
    work_seconds = WholeField(min_value=1, max_value=YEAR, default=USUAL.work_seconds)
    evaluation_seconds = WholeField(min_value=1, max_value=YEAR, default=USUAL.evaluation_seconds)
    acceptance_seconds = WholeField(min_value=0, max_value=YEAR, default=USUAL.acceptance_seconds)
    cure_seconds = WholeField(min_value=0, max_value=YEAR, default=USUAL.cure_seconds)
    max_revisions = WholeField(min_value=0, max_value=MOST_REVISIONS, default=1)
    languages = serializers.ListField(
        child=serializers.ChoiceField(choices=list(LANGUAGES.items())),
        default=list,
        max_length=len(LANGUAGES),
        help_text="Of the agent's work, as in ISO 639-1; none is any.",
    )
    signs_at_once = serializers.BooleanField(default=True)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        given: dict[str, Any] = super().to_internal_value(data)
        timers = Timers(**{name: given.pop(name) for name in TIMERS})
        return {**given, "timers": timers}


class ListingFilter(django_filters.FilterSet):
    agent = django_filters.CharFilter(field_name="agent_id")
    builder = django_filters.CharFilter(field_name="agent__builder_id")
    work = django_filters.CharFilter(field_name="agent__work")
    q = django_filters.CharFilter(
        method="spelled", max_length=100, label="Words of the name, kind of work, builder, summary."
    )
    protocol = django_filters.ChoiceFilter(
        field_name="agent_version__protocol", choices=[(name, name) for name in PROTOCOLS]
    )
    language = django_filters.ChoiceFilter(method="speaking", choices=list(LANGUAGES.items()))
    measured_since = django_filters.IsoDateTimeFilter(method="measured")
    state = django_filters.ChoiceFilter(choices=Listing.State.choices)
    currency = django_filters.CharFilter()
    max_price = django_filters.NumberFilter(
        field_name="price", lookup_expr="lte", max_value=10**15, min_value=0
    )
    min_score_bps = django_filters.NumberFilter(
        field_name="entry__score_bps",
        lookup_expr="gte",
        max_value=10_000,
        min_value=1,
        label="Open ones whose lower bound of everything promised is at least this.",
    )

    def spelled(self, rows: "QuerySet[Listing]", name: str, value: str) -> "QuerySet[Listing]":
        """Open ones that say these words, or where none does, words spelled like them."""
        found, _ = finding.spelled(Search(text=value), now=database_now())
        return rows.filter(pk__in=found.values("listing_id"))

    def speaking(self, rows: "QuerySet[Listing]", name: str, value: str) -> "QuerySet[Listing]":
        return rows.filter(Q(languages__contains=[value]) | Q(languages=[]))

    def measured(
        self, rows: "QuerySet[Listing]", name: str, value: datetime
    ) -> "QuerySet[Listing]":
        newest = StandingScore.objects.filter(version_id=OuterRef("agent_version_id"))
        return rows.filter(Exists(newest.filter(measured_at__gte=value)))


class Listings(Lists, Makes):
    """What can be hired. A POST lists an agent of one's own, or changes its offer.

    In the order of `rank` or `score` stands what is on offer now; what is paused has no place in
    it. `search` finds as the market's page does.
    """

    gives = ListingSerializer
    takes = OfferSerializer
    filterset_class = ListingFilter
    ordering_fields = ("id", "price", "opened_at", "rank", "score")

    def get_queryset(self) -> QuerySet[Listing]:
        rows = Listing.objects.select_related("agent")
        if self.request.query_params.get("ordering", "").lstrip("-") not in ("rank", "score"):
            return rows
        return rows.filter(entry__isnull=False).annotate(
            # Cursors compare, and nothing compares with null.
            rank=Coalesce(F("entry__rank"), -1),
            score=Coalesce(F("entry__score_bps"), -1),
        )

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        scores_onto(page or [])
        marks_onto(page or [])
        return page

    def create(self, given: dict[str, Any], now: datetime) -> Listing:
        agents = AgentVersion.objects.filter(agent__builder_id=self.own).select_related("agent")
        pacts = PactVersion.objects.filter(pact__agent__builder_id=self.own)
        return hiring.open_listing(
            agent_version=self.find(agents, pk=given.pop("agent_version")),
            pact_version=self.find(pacts.select_related("pact"), pk=given.pop("pact_version")),
            by=self.user,
            now=now,
            **given,
        )


class OneListing(Reads):
    """One offer."""

    gives = ListingSerializer

    def get_queryset(self) -> QuerySet[Listing]:
        return Listing.objects.select_related("agent")


class ListingPause(Noun):
    """The builder's pause: PUT takes no new hires from now on, DELETE takes them again."""

    gives = ListingSerializer

    def listing(self) -> Listing:
        rows = Listing.objects.filter(agent__builder_id=self.own).select_related("agent")
        return self.find(rows, pk=self.kwargs["id"])

    def put(self, request: Request, id: str) -> Response:
        return Response(self.shown(hiring.pause_listing(listing=self.listing())))

    def delete(self, request: Request, id: str) -> Response:
        return Response(self.shown(hiring.resume_listing(listing=self.listing())))


class ClaimSerializer(serializers.ModelSerializer[BenchmarkClaim]):
    agent_version = serializers.CharField(source="agent_version_id")
    evaluation = serializers.CharField(source="evaluation_id", allow_null=True)
    imported_run = serializers.CharField(source="imported_run_id", allow_null=True)

    class Meta:
        model = BenchmarkClaim
        fields = [
            "id",
            "agent_version",
            "benchmark",
            "score_bps",
            "units",
            "method",
            "not_measured",
            "contamination",
            "ran_by",
            "evaluation",
            "imported_run",
            "measured_on",
            "recorded_at",
        ]


class NewClaimSerializer(serializers.Serializer[BenchmarkClaim]):
    agent_version = IdField()
    benchmark = serializers.CharField(max_length=120)
    score_bps = WholeField(min_value=0, max_value=10_000)
    units = WholeField(min_value=1, max_value=2**31 - 1)
    method = serializers.CharField(max_length=400)
    not_measured = serializers.CharField(max_length=400)
    contamination = serializers.CharField(
        max_length=400,
        allow_blank=True,
        default="",
        help_text="What is known of the tasks having been seen in training.",
    )
    ran_by = serializers.ChoiceField(choices=BenchmarkClaim.Runner.choices)
    evaluation = IdField(required=False, allow_null=True, default=None)
    imported_run = IdField(required=False, allow_null=True, default=None)
    measured_on = serializers.DateField()


class ClaimFilter(django_filters.FilterSet):
    agent = django_filters.CharFilter(field_name="agent_version__agent_id")
    agent_version = django_filters.CharFilter(field_name="agent_version_id")


class Claims(Lists, Makes):
    """What benchmarks say of agents: for screening, never mixed with what the log says."""

    gives = ClaimSerializer
    takes = NewClaimSerializer
    filterset_class = ClaimFilter

    def get_queryset(self) -> QuerySet[BenchmarkClaim]:
        return BenchmarkClaim.objects.all()

    def create(self, given: dict[str, Any], now: datetime) -> BenchmarkClaim:
        versions = AgentVersion.objects.filter(agent__builder_id=self.own)
        version = self.find(versions, pk=given.pop("agent_version"))
        run, imported = given.pop("evaluation"), given.pop("imported_run")
        elsewhere = ImportedRun.objects.filter(agent_version=version)
        runs = Evaluation.objects.filter(requested_by_id=self.own, agent_version=version)
        return hiring.record_claim(
            agent_version=version,
            evaluation=self.find(runs, pk=run) if run else None,
            imported_run=self.find(elsewhere, pk=imported) if imported else None,
            now=now,
            **given,
        )


class OneClaim(Reads):
    """One claim."""

    gives = ClaimSerializer

    def get_queryset(self) -> QuerySet[BenchmarkClaim]:
        return BenchmarkClaim.objects.all()
