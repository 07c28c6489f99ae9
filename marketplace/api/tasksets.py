"""Golden sets: frozen lists of tasks that only their owner reads."""

import binascii
from base64 import b64decode
from datetime import datetime
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from marketplace.api.fields import ObjectField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from pacts import tables, tasksets
from pacts.models import Task, TaskSet, TaskSetVersion
from pacts.tables import MAX_TASKS, MOST_PARAPHRASES, TaskDraft

MOST_BODY_BYTES = 14_000_000  # a file of the most bytes, written out in Base64


class TaskSerializer(serializers.ModelSerializer[Task]):
    input = ObjectField()
    expected = ObjectField(allow_null=True, default=None)
    in_scope = serializers.BooleanField(default=True)
    stratum = serializers.CharField(max_length=40, allow_blank=True, default="")
    session = serializers.CharField(max_length=40, allow_blank=True, default="")
    paraphrases = serializers.ListField(
        child=ObjectField(), default=list, max_length=MOST_PARAPHRASES
    )

    class Meta:
        model = Task
        fields = [
            "position",
            "input",
            "expected",
            "in_scope",
            "stratum",
            "session",
            "paraphrases",
        ]
        read_only_fields = ["position"]


class TaskSetVersionSerializer(serializers.ModelSerializer[TaskSetVersion]):
    task_set = serializers.CharField(source="task_set_id")

    class Meta:
        model = TaskSetVersion
        fields = ["id", "task_set", "number", "size", "digest", "created_at"]


class TaskSetSerializer(serializers.ModelSerializer[TaskSet]):
    owner = serializers.CharField(source="owner_id", allow_null=True)

    class Meta:
        model = TaskSet
        fields = ["id", "owner", "name", "work", "note", "canaries", "created_at"]


class StratumSerializer(serializers.Serializer[Any]):
    stratum = serializers.CharField(allow_blank=True)
    tasks = serializers.IntegerField()


class WholeTaskSetVersionSerializer(TaskSetVersionSerializer):
    """One version with how many tasks each of its strata holds."""

    strata = serializers.SerializerMethodField()

    class Meta(TaskSetVersionSerializer.Meta):
        fields = [*TaskSetVersionSerializer.Meta.fields, "strata"]

    @extend_schema_field(StratumSerializer(many=True))
    def get_strata(self, version: TaskSetVersion) -> list[dict[str, object]]:
        return tasksets.strata_of(version)


class TasksSerializer(serializers.Serializer[TaskSetVersion]):
    """Tasks as a list, as text, or as a file; `drafts` holds what was read."""

    tasks = serializers.ListField(
        child=TaskSerializer(), required=False, allow_empty=False, max_length=MAX_TASKS
    )
    text = serializers.CharField(
        required=False,
        max_length=tables.MOST_BYTES,
        trim_whitespace=False,
        help_text="JSON Lines, or CSV with a header of input.<field>, expected.<field>, "
        "in_scope, stratum and session.",
    )
    file = serializers.CharField(
        required=False,
        max_length=MOST_BODY_BYTES,
        help_text="JSON Lines, CSV or Parquet, in Base64.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = [name for name in ("tasks", "text", "file") if name in attrs]
        if len(given) != 1:
            raise serializers.ValidationError("Give exactly one of tasks, text or file.")
        return attrs | {"tasks": _drafts(attrs)}


def _drafts(attrs: dict[str, Any]) -> list[TaskDraft]:
    if "text" in attrs:
        return tables.read_text(attrs.pop("text"))
    if "file" in attrs:
        try:
            return tables.read_file(b64decode(attrs.pop("file"), validate=True))
        except binascii.Error as error:
            raise serializers.ValidationError({"file": ["This is not Base64."]}) from error
    return [
        TaskDraft(**task | {"paraphrases": tuple(task["paraphrases"])}) for task in attrs["tasks"]
    ]


class NewTaskSetSerializer(TasksSerializer):
    name = serializers.CharField(min_length=2, max_length=120)
    work = serializers.SlugField(max_length=40)
    note = serializers.CharField(max_length=2000, allow_blank=True, default="")
    canaries = serializers.BooleanField(
        default=False,
        help_text="A pool that is mixed, unseen, into runs over your other sets of this work.",
    )


class TaskSetFilter(django_filters.FilterSet):
    work = django_filters.CharFilter()


class OfTaskSets(Noun):
    """One's own sets and the platform's, but never the platform's canaries."""

    most_bytes = MOST_BODY_BYTES

    def sets(self) -> QuerySet[TaskSet]:
        return TaskSet.objects.filter(Q(owner_id=self.own) | Q(owner=None, canaries=False))

    def versions(self) -> QuerySet[TaskSetVersion]:
        return TaskSetVersion.objects.filter(task_set__in=self.sets())


class TaskSets(OfTaskSets, Lists, Makes):
    """Task sets of the party and of the platform; a POST freezes the first version."""

    gives = TaskSetSerializer
    takes = NewTaskSetSerializer
    filterset_class = TaskSetFilter

    def get_queryset(self) -> QuerySet[TaskSet]:
        return self.sets()

    def create(self, given: dict[str, Any], now: datetime) -> TaskSet:
        return tasksets.create_task_set(owner=self.party, now=now, **given).task_set


class OneTaskSet(OfTaskSets, Reads):
    """One task set."""

    gives = TaskSetSerializer

    def get_queryset(self) -> QuerySet[TaskSet]:
        return self.sets()


class TaskSetVersions(OfTaskSets, Lists, Makes):
    """The frozen versions of a set; its salted commitment is public before the first use."""

    gives = TaskSetVersionSerializer
    takes = TasksSerializer
    queryset = TaskSetVersion.objects.none()

    def get_queryset(self) -> QuerySet[TaskSetVersion]:
        return self.versions().filter(task_set=self.find(self.sets(), pk=self.kwargs["id"]))

    def create(self, given: dict[str, Any], now: datetime) -> TaskSetVersion:
        own = TaskSet.objects.filter(owner_id=self.own)
        task_set = self.find(own, pk=self.kwargs["id"])
        return tasksets.add_version(task_set=task_set, tasks=given["tasks"], now=now)


class OneTaskSetVersion(OfTaskSets, Reads):
    """One frozen version."""

    gives = WholeTaskSetVersionSerializer

    def get_queryset(self) -> QuerySet[TaskSetVersion]:
        return self.versions()


class Tasks(OfTaskSets, Lists):
    """The tasks of a version, for its owner."""

    gives = TaskSerializer
    queryset = Task.objects.none()
    ordering_fields = ("position",)
    ordering = ("position",)

    def get_queryset(self) -> QuerySet[Task]:
        version = self.find(self.versions(), pk=self.kwargs["id"])
        return Task.objects.filter(version=version)
