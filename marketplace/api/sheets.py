"""Tables of tasks brought in: kept, looked at under a mapping, made a task set."""

import binascii
from base64 import b64decode
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from marketplace.api.nouns import Lists, Makes, Noun, Reads
from marketplace.api.tasksets import MOST_BODY_BYTES, TaskSetVersionSerializer
from marketplace.models import TaskSheet
from marketplace.tryouts import bringing
from pacts import sheets, tables
from pacts.models import TaskSetVersion
from pacts.sheets import KINDS, ROLES, Problem, Use
from pacts.tables import TaskDraft

SHOWN = 5


class UseSerializer(serializers.Serializer[Use]):
    """What one column is for; `field` names the member of the input or the expected answer."""

    column = serializers.CharField(max_length=200)
    role = serializers.ChoiceField(choices=ROLES)
    field = serializers.CharField(max_length=60, allow_blank=True, default="")
    kind = serializers.ChoiceField(choices=KINDS, default="as_is")


class ProblemSerializer(serializers.Serializer[Problem]):
    place = serializers.CharField()
    sentence = serializers.CharField()


class SheetSerializer(serializers.ModelSerializer[TaskSheet]):
    """A table; `guess` is what each column probably is, empty once it was made a task set."""

    columns = serializers.ListField(child=serializers.CharField())
    task_set_version = serializers.CharField(source="task_set_version_id", allow_null=True)
    guess = serializers.SerializerMethodField()

    class Meta:
        model = TaskSheet
        fields = [
            *("id", "name", "work", "columns", "size", "brought_at", "task_set_version", "guess"),
        ]

    @extend_schema_field(UseSerializer(many=True))
    def get_guess(self, row: TaskSheet) -> list[dict[str, str]]:
        if not row.rows:
            return []
        found = sheets.guess(bringing.sheet_of(row))
        return [
            {"column": name, "role": use.role, "field": use.field, "kind": use.kind}
            for name, use in found.items()
        ]


class NewSheetSerializer(serializers.Serializer[TaskSheet]):
    """A table as text or as a file in Base64: CSV, JSON Lines, JSON or Parquet."""

    name = serializers.CharField(min_length=2, max_length=120)
    work = serializers.SlugField(max_length=40)
    text = serializers.CharField(
        required=False, max_length=tables.MOST_BYTES, trim_whitespace=False
    )
    file = serializers.CharField(required=False, max_length=MOST_BODY_BYTES)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("text" in attrs) == ("file" in attrs):
            raise serializers.ValidationError("Give exactly one of text or file.")
        if "text" in attrs:
            return attrs | {"data": attrs["text"]}
        try:
            return attrs | {"data": b64decode(attrs["file"], validate=True)}
        except binascii.Error as error:
            raise serializers.ValidationError({"file": ["This is not Base64."]}) from error


class MappingSerializer(serializers.Serializer[Any]):
    """What each column is for; a column that is not named is left out of the tasks."""

    columns = UseSerializer(many=True, allow_empty=False)

    def validate_columns(self, value: list[dict[str, str]]) -> dict[str, Use]:
        names = [one["column"] for one in value]
        if len(names) > tables.MOST_COLUMNS:
            raise serializers.ValidationError(f"Name at most {tables.MOST_COLUMNS} columns.")
        if len(set(names)) != len(names):
            raise serializers.ValidationError("Name each column once.")
        return {one["column"]: Use(one["role"], one["field"], one["kind"]) for one in value}  # type: ignore[arg-type]


class KeepingSerializer(MappingSerializer):
    leave_out = serializers.BooleanField(
        default=False, help_text="Leave out the lines that have a problem."
    )


class DraftSerializer(serializers.Serializer[TaskDraft]):
    input = serializers.JSONField()
    expected = serializers.JSONField()
    in_scope = serializers.BooleanField()
    stratum = serializers.CharField()
    session = serializers.CharField()


class PreviewSerializer(serializers.Serializer[Any]):
    """How many lines become tasks under a mapping, the first five of them, every problem."""

    good = serializers.IntegerField()
    tasks = DraftSerializer(many=True)
    problems = ProblemSerializer(many=True)


class OfSheets(Noun):
    """The party's own tables."""

    most_bytes = MOST_BODY_BYTES

    def sheets(self) -> QuerySet[TaskSheet]:
        return TaskSheet.objects.filter(party_id=self.own)

    def uses(self, row: TaskSheet, given: dict[str, Any]) -> dict[str, Use]:
        """The mapping for every column of the table; those not named are left out."""
        unknown = sorted(set(given["columns"]) - set(row.columns))
        if unknown:
            raise serializers.ValidationError({"columns": [f"There is no “{unknown[0][:60]}”."]})
        return {name: given["columns"].get(name, Use("ignore")) for name in row.columns}


class TaskSheets(OfSheets, Lists, Makes):
    """Tables whose columns wait to be mapped; kept for a week. Lines that cannot be read are told
    by the preview; nothing of the others is lost."""

    gives = SheetSerializer
    takes = NewSheetSerializer

    def get_queryset(self) -> QuerySet[TaskSheet]:
        return self.sheets()

    def create(self, given: dict[str, Any], now: datetime) -> TaskSheet:
        return bringing.bring(
            party=self.party,
            name=given["name"],
            work=given["work"],
            data=given["data"],
            by=self.user,
            now=now,
        )


class OneTaskSheet(OfSheets, Reads):
    """One table."""

    gives = SheetSerializer

    def get_queryset(self) -> QuerySet[TaskSheet]:
        return self.sheets()


class TaskSheetPreview(OfSheets, Makes):
    """What a mapping would make of a table; keeps nothing."""

    gives = PreviewSerializer
    takes = MappingSerializer
    replays = False

    def create(self, given: dict[str, Any], now: datetime) -> dict[str, Any]:
        row = self.find(self.sheets(), pk=self.kwargs["id"])
        drafts, problems = bringing.mapped(row, self.uses(row, given))
        return {"good": len(drafts), "tasks": drafts[:SHOWN], "problems": problems}


class TaskSheetSet(OfSheets, Makes):
    """Make a table a task set, once; refused while a line has a problem, unless it is left out."""

    gives = TaskSetVersionSerializer
    takes = KeepingSerializer

    def create(self, given: dict[str, Any], now: datetime) -> TaskSetVersion:
        row = self.find(self.sheets(), pk=self.kwargs["id"])
        uses = self.uses(row, given)
        return bringing.keep(row=row, uses=uses, leave_out=given["leave_out"], now=now)
