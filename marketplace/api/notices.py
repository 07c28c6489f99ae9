"""What a person is told, what it wants to hear of, and a party's feed for programs."""

import re
from datetime import datetime
from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.nouns import Lists, Makes, Noun
from marketplace.hooks.messages import content_of
from marketplace.models import News, Notice, NoticeChoice
from marketplace.notices import choices, saying, telling
from marketplace.notices.topics import TOPICS
from reputation.clock import database_now

MOST_IN_FEED = 200
_INDEX = re.compile(r"-1|[0-9]{1,15}")


class NoticeSerializer(serializers.ModelSerializer[Notice]):
    kind = serializers.CharField(source="news.kind")
    topic = serializers.CharField(source="news.topic")
    grave = serializers.BooleanField(source="news.grave")
    title = serializers.SerializerMethodField(help_text="In English.")
    path = serializers.CharField(source="news.path", help_text="Of the page about it.")
    party = serializers.CharField(source="news.party_id", allow_null=True)
    evidence = serializers.CharField(
        source="news.evidence_id", allow_null=True, help_text="Null where it is in no log."
    )
    told_at = serializers.DateTimeField(source="news.told_at")

    class Meta:
        model = Notice
        fields = [
            *("id", "kind", "topic", "grave", "title", "path", "party", "evidence"),
            *("told_at", "read_at"),
        ]

    def get_title(self, row: Notice) -> str:
        return saying.in_english(row.news)


class NoticeFilter(django_filters.FilterSet):
    unread = django_filters.BooleanFilter(field_name="read_at", lookup_expr="isnull")
    topic = django_filters.CharFilter(field_name="news__topic")


class Notices(Lists):
    """What the user behind the key is told, the newest first."""

    gives = NoticeSerializer
    filterset_class = NoticeFilter
    queryset = Notice.objects.none()

    def get_queryset(self) -> QuerySet[Notice]:
        return telling.notices_of(self.user)


class ReadingSerializer(serializers.Serializer[Any]):
    notices = serializers.ListField(
        child=serializers.CharField(max_length=48),
        required=False,
        max_length=1_000,
        help_text="These; all that are unread without.",
    )


class ReadSerializer(serializers.Serializer[Any]):
    read = serializers.IntegerField(help_text="How many were unread before.")


class Readings(Makes):
    """Saying that notices were read."""

    takes = ReadingSerializer
    gives = ReadSerializer

    def create(self, given: dict[str, Any], now: datetime) -> dict[str, int]:
        return {"read": telling.mark_read(user=self.user, now=now, notices=given.get("notices"))}


class NoticeChoiceSerializer(serializers.Serializer[Any]):
    topic = serializers.ChoiceField(choices=[(key, one.title) for key, one in TOPICS.items()])
    channel = serializers.ChoiceField(choices=NoticeChoice.Channel.choices)
    wanted = serializers.BooleanField()


class NoticeChoicesSerializer(serializers.Serializer[Any]):
    """Every topic and channel; what is left out of a PUT stays as it is."""

    choices = NoticeChoiceSerializer(many=True)


class Choices(Noun):
    """What the user behind the key wants to hear of, through which channel."""

    gives = NoticeChoicesSerializer
    takes = NoticeChoicesSerializer

    def get(self, request: Request) -> Response:
        return Response(self._all())

    def put(self, request: Request) -> Response:
        now = database_now()
        for one in self.given()["choices"]:
            choices.choose(user=self.user, now=now, **one)
        return Response(self._all())

    def _all(self) -> dict[str, Any]:
        found = choices.choices_of(self.user)
        return {
            "choices": [
                {"topic": topic, "channel": channel, "wanted": wanted}
                for (topic, channel), wanted in found.items()
            ]
        }


class MessageSerializer(serializers.Serializer[Any]):
    """One message as webhooks carry it."""

    id = serializers.CharField()
    type = serializers.CharField()
    timestamp = serializers.DateTimeField()
    index = serializers.IntegerField()
    data = serializers.DictField()  # type: ignore[assignment]


class FeedSerializer(serializers.Serializer[Any]):
    """`next` goes into `after` of the next request: nothing is missed, nothing comes twice."""

    messages = MessageSerializer(many=True)
    next = serializers.IntegerField()


class Feed(Noun):
    """Everything the party was ever told, in the order of the log: `?after=` an index, up to 200
    at a time. A receiver that was away reads here what it missed."""

    gives = FeedSerializer

    def get(self, request: Request) -> Response:
        asked = request.query_params.get("after", "-1")
        if not _INDEX.fullmatch(asked):
            raise serializers.ValidationError({"after": ["Give the `next` of the page before."]})
        after = int(asked)
        rows = News.objects.filter(party=self.party, index__gt=after).select_related("evidence")
        found = list(rows.order_by("index")[:MOST_IN_FEED])
        last = found[-1].index if found else after
        return Response({"messages": [content_of(one) for one in found], "next": last})
