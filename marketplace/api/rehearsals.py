"""A builder's own runs: pings, dry runs of drafts, adversarial runs. Nothing counts them."""

import json
from datetime import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.fields import IdField, WholeField
from marketplace.api.nouns import Lists, Makes, Noun
from marketplace.api.tasksets import TaskSerializer
from pacts import adversity, rehearsals, rehearsed
from pacts.models import AgentVersion, PactVersion, Rehearsal, TaskSetVersion
from pacts.rehearsals import MOST_CALLS, MOST_TASKS, USUAL_CALLS, RehearsalRefused
from pacts.rehearsed import ClauseSeen, FamilySeen, Looked
from pacts.tables import TaskDraft


class RehearsalSerializer(serializers.ModelSerializer[Rehearsal]):
    agent = serializers.CharField(source="agent_version.agent_id")
    agent_version = serializers.CharField(source="agent_version_id")
    pact_version = serializers.CharField(source="pact_version_id", allow_null=True)

    class Meta:
        model = Rehearsal
        fields = [
            *("id", "kind", "agent", "agent_version", "pact_version", "digest", "suite", "pasted"),
            *("left_out", "state", "started_at", "finished_at"),
        ]


class SaidSerializer(serializers.Serializer[Any]):
    clause = serializers.CharField()
    outcome = serializers.CharField()
    reason = serializers.CharField()


class LookedSerializer(serializers.Serializer[Looked]):
    """One call: what was asked, what came back, what was seen in it."""

    task = serializers.IntegerField(source="case.task", help_text="The sample's place, from 0.")
    adversity = serializers.CharField(source="case.key", allow_blank=True)
    family = serializers.CharField(source="case.family", allow_blank=True)
    variant = serializers.CharField(source="case.variant", allow_blank=True)
    input = serializers.JSONField()
    answer = serializers.CharField(source="case.answer", allow_blank=True)
    error = serializers.CharField(source="case.error", allow_blank=True)
    latency_us = serializers.IntegerField(source="case.latency_us", allow_null=True)
    outcome = serializers.CharField(source="case.outcome", allow_blank=True)
    reason = serializers.CharField(source="case.reason", allow_blank=True)
    checks = SaidSerializer(source="said", many=True)


class ClauseSeenSerializer(serializers.Serializer[ClauseSeen]):
    """One clause over all calls, added up as a verdict is."""

    clause = serializers.CharField(source="clause.key")
    status = serializers.CharField(source="verdict.status")
    passes = serializers.FloatField(source="verdict.counts.passes")
    failures = serializers.FloatField(source="verdict.counts.failures")
    units = serializers.IntegerField(source="verdict.counts.units")
    reason = serializers.CharField(source="verdict.reason")
    unseen = serializers.CharField(allow_blank=True, help_text="Why it was not looked at.")


class FamilySeenSerializer(serializers.Serializer[FamilySeen]):
    name = serializers.CharField()
    held = serializers.IntegerField()
    fell = serializers.IntegerField()
    unseen = serializers.IntegerField(help_text="For a person to look at.")


class WholeRehearsalSerializer(RehearsalSerializer):
    """One run with everything it showed so far."""

    clauses = serializers.SerializerMethodField()
    families = serializers.SerializerMethodField()
    cases = serializers.SerializerMethodField()

    class Meta(RehearsalSerializer.Meta):
        fields = [*RehearsalSerializer.Meta.fields, "clauses", "families", "cases"]

    @extend_schema_field(ClauseSeenSerializer(many=True))
    def get_clauses(self, run: Rehearsal) -> Any:
        found = rehearsed.dry_run_of(run)
        rows: Any = found.clauses if found else ()
        return ClauseSeenSerializer(rows, many=True).data

    @extend_schema_field(FamilySeenSerializer(many=True))
    def get_families(self, run: Rehearsal) -> Any:
        adversarial = run.kind == Rehearsal.Kind.ADVERSARIAL
        found: Any = rehearsed.families_of(run) if adversarial else []
        return FamilySeenSerializer(found, many=True).data

    @extend_schema_field(LookedSerializer(many=True))
    def get_cases(self, run: Rehearsal) -> Any:
        found: Any = rehearsed.looked_at(run)
        return LookedSerializer(found, many=True).data


class NewRehearsalSerializer(serializers.Serializer[Rehearsal]):
    """What to run. A dry run names a pact version and brings tasks, or answers to them as well."""

    kind = serializers.ChoiceField(choices=Rehearsal.Kind.choices)
    agent_version = IdField()
    pact_version = IdField(required=False, help_text="For a dry run: a draft, or any version.")
    tasks = serializers.ListField(child=TaskSerializer(), required=False, max_length=MOST_TASKS)
    task_set_version = IdField(required=False, help_text="Or the first tasks of a set.")
    answers = serializers.ListField(
        child=serializers.JSONField(), required=False, max_length=MOST_TASKS,
        help_text="For a dry run: answers to the tasks, in their order; then nobody is called.",
    )  # fmt: skip
    calls = WholeField(min_value=1, max_value=MOST_CALLS, default=USUAL_CALLS)
    families = serializers.ListField(
        child=serializers.ChoiceField(choices=adversity.FAMILIES), default=list, max_length=20,
        help_text="For an adversarial run; none is all.",
    )  # fmt: skip


class RehearsalFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(choices=Rehearsal.Kind.choices)
    agent_version = django_filters.CharFilter(field_name="agent_version_id")


class Rehearsals(Lists, Makes):
    """The party's own runs of its agents. A POST starts one; GET it until its state is `done`."""

    gives = RehearsalSerializer
    takes = NewRehearsalSerializer
    filterset_class = RehearsalFilter

    def get_queryset(self) -> QuerySet[Rehearsal]:
        return rehearsals.rehearsals_of(self.own)

    def create(self, given: dict[str, Any], now: datetime) -> Rehearsal:
        versions = AgentVersion.objects.filter(agent__builder_id=self.own).select_related("agent")
        said: dict[str, Any] = {
            "agent_version": self.find(versions, pk=given["agent_version"]),
            "samples": self._samples(given),
            "by": self.user,
            "now": now,
        }
        if given["kind"] == Rehearsal.Kind.PING:
            return rehearsals.start_ping(**said)
        if given["kind"] == Rehearsal.Kind.ADVERSARIAL:
            return rehearsals.start_adversarial(families=given["families"], **said)
        if "pact_version" not in given:
            raise RehearsalRefused("name the pact_version that the dry run is held against")
        mine = PactVersion.objects.filter(pact__agent__builder_id=self.own).select_related("pact")
        said["pact_version"] = self.find(mine, pk=given["pact_version"])
        if "answers" in given:
            lines = [json.dumps(one, ensure_ascii=False) for one in given["answers"]]
            return rehearsals.start_pasted(answers=lines, **said)
        return rehearsals.start_dry_run(calls=given["calls"], **said)

    def _samples(self, given: dict[str, Any]) -> list[TaskDraft]:
        if "task_set_version" in given:
            own = TaskSetVersion.objects.filter(task_set__owner_id=self.own)
            found = self.find(own, pk=given["task_set_version"])
            return rehearsals.samples_of(found, most=MOST_TASKS)
        return [
            TaskDraft(**task | {"paraphrases": tuple(task["paraphrases"])})
            for task in given.get("tasks", ())
        ]


class OneRehearsal(Noun):
    """One run with what it showed. DELETE removes it with all it kept."""

    gives = WholeRehearsalSerializer
    deletes = True

    def _own(self, id: str) -> Rehearsal:
        return self.find(rehearsals.rehearsals_of(self.own), pk=id)

    def get(self, request: Request, id: str) -> Response:
        return Response(self.shown(self._own(id)))

    def delete(self, request: Request, id: str) -> Response:
        rehearsals.delete_rehearsal(rehearsal=self._own(id))
        return Response(status=status.HTTP_204_NO_CONTENT)
