"""Golden sets: frozen lists of tasks that only their owner reads."""

from datetime import datetime
from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from rest_framework import serializers

from marketplace.api.fields import ObjectField
from marketplace.api.nouns import Lists, Makes, Noun, Reads
from pacts import tasksets
from pacts.models import Task, TaskSet, TaskSetVersion
from pacts.tasksets import MAX_TASKS, TaskDraft

MOST_BYTES = 10_000_000


class TaskSerializer(serializers.ModelSerializer[Task]):
    input = ObjectField()
    expected = ObjectField(allow_null=True, default=None)
    in_scope = serializers.BooleanField(default=True)
    stratum = serializers.CharField(max_length=40, allow_blank=True, default="")

    class Meta:
        model = Task
        fields = ["position", "input", "expected", "in_scope", "stratum"]
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
        fields = ["id", "owner", "name", "work", "note", "created_at"]


class TasksSerializer(serializers.Serializer[TaskSetVersion]):
    tasks = serializers.ListField(child=TaskSerializer(), allow_empty=False, max_length=MAX_TASKS)

    def validate_tasks(self, tasks: list[dict[str, Any]]) -> list[TaskDraft]:
        return [TaskDraft(**task) for task in tasks]


class NewTaskSetSerializer(TasksSerializer):
    name = serializers.CharField(min_length=2, max_length=120)
    work = serializers.SlugField(max_length=40)
    note = serializers.CharField(max_length=2000, allow_blank=True, default="")


class TaskSetFilter(django_filters.FilterSet):
    work = django_filters.CharFilter()


class OfTaskSets(Noun):
    """One's own sets and the platform's."""

    most_bytes = MOST_BYTES

    def sets(self) -> QuerySet[TaskSet]:
        return TaskSet.objects.filter(Q(owner_id=self.own) | Q(owner=None))

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

    gives = TaskSetVersionSerializer

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
