"""Tryouts: several agents on the same tasks, forecast, started, watched, read task by task."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api import idempotency
from marketplace.api.evaluations import BudgetSerializer
from marketplace.api.fields import IdField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from marketplace.api.pacts import PactVersionSerializer, WordingSerializer
from marketplace.models import Listing, Tryout
from marketplace.tryouts import boards, forecasts, starting
from marketplace.tryouts.forecasts import SeatForecast
from pacts import asking
from pacts.budgets import Budget
from pacts.forecasts import ClauseForecast
from pacts.models import PactVersion, TaskSetVersion
from pacts.statistics import ClauseVerdict

TASKS_AT_ONCE = 100


class ChoiceSerializer(serializers.Serializer[Any]):
    """One to four listings, a task set version, and a pact of the party's own that all are held
    against; without one each is held against the pact it offers."""

    listings = serializers.ListField(child=IdField(), min_length=1, max_length=starting.MOST)
    task_set_version = IdField()
    pact_version = IdField(required=False, allow_null=True, default=None)


class NewTryoutSerializer(ChoiceSerializer):
    budget = BudgetSerializer(required=False, help_text="What each run may use for itself.")
    full_run = serializers.BooleanField(default=False)


class NewHiresSerializer(serializers.Serializer[Any]):
    listings = serializers.ListField(child=IdField(), min_length=1, max_length=starting.MOST)
    task_set_version = IdField()


class ClauseForecastSerializer(serializers.Serializer[ClauseForecast]):
    """The chance that these tasks decide a clause, for agents of three true rates; null where it
    is not known (a census decides with its last unit)."""

    key = serializers.CharField()
    title = serializers.CharField()
    unit = serializers.CharField()
    method = serializers.CharField()
    faultless_met = serializers.SerializerMethodField()
    on_promise_met = serializers.SerializerMethodField()
    poor_breached = serializers.SerializerMethodField()

    def get_faultless_met(self, one: ClauseForecast) -> float | None:
        fate = one.fate("faultless")
        return fate.met if fate else None

    def get_on_promise_met(self, one: ClauseForecast) -> float | None:
        fate = one.fate("promise")
        return fate.met if fate else None

    def get_poor_breached(self, one: ClauseForecast) -> float | None:
        fate = one.fate("poor")
        return fate.breached if fate else None


class SeatForecastSerializer(serializers.Serializer[SeatForecast]):
    """One agent's part: calls and seconds at most, and what hiring it instead would set aside."""

    listing = serializers.CharField(source="listing.id")
    pact_version = serializers.CharField(source="pact_version.id")
    calls = serializers.IntegerField()
    seconds = serializers.IntegerField()
    price = serializers.CharField()
    currency = serializers.CharField(source="listing.currency")
    clauses = ClauseForecastSerializer(source="forecast.clauses", many=True)


class TryoutForecastSerializer(serializers.Serializer[Any]):
    agents = SeatForecastSerializer(many=True)


class StandingClauseSerializer(serializers.Serializer[ClauseVerdict]):
    """A clause as it stands over what is in so far; rates hold at every look."""

    key = serializers.CharField()
    status = serializers.CharField()
    units = serializers.IntegerField(source="counts.units")
    failures = serializers.FloatField(source="counts.failures")
    estimate = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class SeatSerializer(serializers.Serializer[boards.Seat]):
    """One agent: its run, where it stands, its counts (empty before there is a run)."""

    position = serializers.IntegerField(source="entry.position")
    listing = serializers.CharField(source="entry.listing_id")
    engagement = serializers.CharField(source="entry.engagement_id", allow_null=True)
    evaluation = serializers.SerializerMethodField()
    state = serializers.ChoiceField(
        choices=["unsigned", "unfunded", "running", "concluded", "called_off"]
    )
    outcome = serializers.SerializerMethodField()
    faults = serializers.IntegerField(help_text="Trials the agent did not answer.")
    progress = serializers.DictField(child=serializers.IntegerField())
    clauses = StandingClauseSerializer(many=True)

    def get_evaluation(self, seat: boards.Seat) -> str | None:
        return seat.run.id if seat.run else None

    def get_outcome(self, seat: boards.Seat) -> str | None:
        return seat.verdict.outcome if seat.verdict else None


class TryoutSerializer(serializers.ModelSerializer[Tryout]):
    task_set_version = serializers.CharField(source="task_set_version_id")
    pact_version = serializers.CharField(source="pact_version_id", allow_null=True)

    class Meta:
        model = Tryout
        fields = ["id", "task_set_version", "pact_version", "paid", "started_at"]


class BoardSerializer(TryoutSerializer):
    """A tryout with each of its agents as it stands now."""

    agents = serializers.SerializerMethodField()

    class Meta(TryoutSerializer.Meta):
        fields = [*TryoutSerializer.Meta.fields, "agents"]

    @extend_schema_field(SeatSerializer(many=True))
    def get_agents(self, made: Tryout) -> Any:
        return [SeatSerializer(seat).data for seat in boards.seats_of(made)]


class CellSerializer(serializers.Serializer[boards.Cell]):
    """What one agent made of a task. `fault`: it did not answer; `nobody`: counts for nobody."""

    said = serializers.ChoiceField(choices=boards.SAID)
    tried = serializers.IntegerField()
    wrong = serializers.IntegerField()
    output = serializers.CharField(allow_null=True)
    error = serializers.CharField()
    reasons = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))


class TaskRowSerializer(serializers.Serializer[boards.TaskRow]):
    position = serializers.IntegerField(source="task.position")
    input = serializers.JSONField(source="task.input")
    expected = serializers.JSONField(source="task.expected")
    in_scope = serializers.BooleanField(source="task.in_scope")
    agents = CellSerializer(source="cells", many=True)


class TaskRowsSerializer(serializers.Serializer[Any]):
    """At most 100 tasks from `after` on; `next` is what to ask for next, null at the end."""

    next = serializers.IntegerField(allow_null=True)
    tasks = TaskRowSerializer(many=True)


class TasksAskedSerializer(serializers.Serializer[Any]):
    only = serializers.ChoiceField(choices=boards.GROUPS, default="all")
    after = serializers.IntegerField(min_value=0, max_value=10**6, default=0)


class CallOffSerializer(serializers.Serializer[Any]):
    position = serializers.IntegerField(
        required=False, min_value=0, max_value=starting.MOST, help_text="Without it: all of them."
    )


class OfTryouts(Noun):
    """The party's own."""

    def tryouts(self) -> QuerySet[Tryout]:
        return Tryout.objects.filter(party_id=self.own)

    def chosen(self, given: dict[str, Any]) -> tuple[Sequence[Listing], TaskSetVersion]:
        """The listings in the order they were given, and the tasks."""
        related = ("agent__builder", "agent_version__agent", "pact_version__pact")
        rows = Listing.objects.select_related(*related)
        sets = TaskSetVersion.objects.filter(task_set__owner_id=self.own, task_set__canaries=False)
        listings = [self.find(rows, pk=one) for one in given["listings"]]
        tasks = self.find(sets.select_related("task_set"), pk=given["task_set_version"])
        return listings, tasks

    def wish(self, given: dict[str, Any]) -> PactVersion | None:
        """The party's own pact, if one is named."""
        own = PactVersion.objects.filter(pact__buyer_id=self.own).select_related("pact")
        return self.find(own, pk=given["pact_version"]) if given["pact_version"] else None


class Tryouts(OfTryouts, Lists, Makes):
    """Tryouts. A POST tries each agent over the same tasks, all or none; no money moves."""

    gives = TryoutSerializer
    takes = NewTryoutSerializer

    def get_queryset(self) -> QuerySet[Tryout]:
        return self.tryouts()

    def create(self, given: dict[str, Any], now: datetime) -> Tryout:
        listings, tasks = self.chosen(given)
        return starting.start(
            party=self.party,
            listings=listings,
            task_set_version=tasks,
            pact_version=self.wish(given),
            budget=Budget(**given.get("budget", {})),
            full_run=given["full_run"],
            by=self.user,
            now=now,
        )


class TryoutHires(OfTryouts, Makes):
    """Hire each at its listed price for these tasks and set the money aside, all or none."""

    gives = TryoutSerializer
    takes = NewHiresSerializer
    moves_money = True

    def create(self, given: dict[str, Any], now: datetime) -> Tryout:
        listings, tasks = self.chosen(given)
        return starting.hire_all(
            party=self.party,
            listings=listings,
            task_set_version=tasks,
            by=self.user,
            authority=self.authority,
            idempotency_key=idempotency.key_for_the_ledger(self.request),
            now=now,
        )


class TryoutForecasts(OfTryouts, Makes):
    """What a tryout would take, before it begins; keeps nothing."""

    gives = TryoutForecastSerializer
    takes = ChoiceSerializer
    replays = False

    def create(self, given: dict[str, Any], now: datetime) -> dict[str, Any]:
        listings, tasks = self.chosen(given)
        wish = self.wish(given)
        starting.refuse_unfit(listings, tasks, wish, self.party)
        found = forecasts.forecasts_of(listings=listings, task_set_version=tasks, pact_version=wish)
        return {"agents": found}


class OneTryout(OfTryouts, Reads):
    """One tryout, live."""

    gives = BoardSerializer

    def get_queryset(self) -> QuerySet[Tryout]:
        return self.tryouts().select_related("task_set_version")


class TryoutTasks(OfTryouts):
    """Task by task: input, expected answer, each agent's answer and why it failed, in the order of
    the agents. `differ`: where two of them came out differently; `fails`: where one failed;
    `none`: where all failed."""

    gives = TaskRowsSerializer

    @extend_schema(parameters=[TasksAskedSerializer])
    def get(self, request: Request, id: str) -> Response:
        asked = TasksAskedSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        made = self.find(self.tryouts().select_related("task_set_version"), pk=id)
        runs, seats = starting.runs_of(made), made.agents.count()
        only, after = asked.validated_data["only"], asked.validated_data["after"]
        group = boards.groups_of(boards.marks_of(made, runs, seats))[only]
        marked = [one for one in group if one.position >= after]
        rest = marked[TASKS_AT_ONCE:]
        rows = boards.rows_of(marked[:TASKS_AT_ONCE], runs, seats)
        return Response(self.shown({"next": rest[0].position if rest else None, "tasks": rows}))


class TryoutCancellation(OfTryouts, Makes):
    """Call off the run of one agent, or every run that is not over."""

    gives = BoardSerializer
    takes = CallOffSerializer

    def create(self, given: dict[str, Any], now: datetime) -> Tryout:
        made = self.find(self.tryouts(), pk=self.kwargs["id"])
        starting.call_off(made=made, party=self.party, position=given.get("position"), now=now)
        return made


class AskedPacts(Lists, Makes):
    """Pacts the party asks for. A POST signs one for the party and freezes it; agents can be tried
    against it, needs posted under it, and nobody has promised it."""

    gives = PactVersionSerializer
    takes = WordingSerializer

    def get_queryset(self) -> QuerySet[PactVersion]:
        return PactVersion.objects.filter(pact__buyer_id=self.own).select_related("pact")

    def create(self, given: dict[str, Any], now: datetime) -> PactVersion:
        return asking.ask(
            buyer=self.party,
            data=given["terms"],
            by=self.user,
            authority=self.authority,
            now=now,
        )
