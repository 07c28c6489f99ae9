"""Answers that chance chose for people: shown blind, labelled once."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace.api.nouns import Lists, Makes, Noun, Reads
from pacts import reviews
from pacts.models import ReviewItem, ReviewLabel


class ReviewSerializer(serializers.Serializer[ReviewItem]):
    """All a reviewer sees of one answer."""

    id = serializers.CharField()
    question = serializers.CharField()
    task = serializers.JSONField()
    answer = serializers.JSONField()

    def to_representation(self, instance: ReviewItem) -> dict[str, Any]:
        seen = reviews.blinded(instance)
        return {
            "id": seen.id,
            "question": seen.question,
            "task": seen.task,
            "answer": seen.answer,
        }


class NewLabelSerializer(serializers.Serializer[ReviewLabel]):
    said = serializers.ChoiceField(choices=ReviewLabel.Said.choices)
    note = serializers.CharField(
        max_length=reviews.LONGEST_NOTE, allow_blank=True, default="", trim_whitespace=True
    )


class LabelSerializer(serializers.ModelSerializer[ReviewLabel]):
    review = serializers.CharField(source="item_id")

    class Meta:
        model = ReviewLabel
        fields = ["id", "review", "said", "note", "labelled_at"]


class OfReviews(Noun):
    """What waits for the caller: never a case of a party they act for."""

    gives = ReviewSerializer

    def get_queryset(self) -> QuerySet[ReviewItem]:
        return reviews.queue_for(self.user).select_related("batch")


class Reviews(OfReviews, Lists):
    """Answers that wait for the caller's label, newest first."""

    queryset = ReviewItem.objects.none()


class OneReview(OfReviews, Reads):
    """One answer that waits for the caller's label."""

    queryset = ReviewItem.objects.none()


class Label(OfReviews, Makes):
    """The caller's label, once; labels are never changed."""

    makes = LabelSerializer
    takes = NewLabelSerializer

    def create(self, given: dict[str, Any], now: datetime) -> ReviewLabel:
        item = self.find(self.get_queryset(), pk=self.kwargs["id"])
        return reviews.label(item=item, reviewer=self.user, now=now, **given)


class WaitingSerializer(serializers.Serializer[reviews.Waiting]):
    """How many answers and verdicts wait; `until`: when the first is reached without them."""

    answers = serializers.IntegerField()
    runs = serializers.IntegerField()
    until = serializers.DateTimeField(allow_null=True)


class WaitingReviews(Noun):
    """How much waits for the caller's label."""

    gives = WaitingSerializer

    def get(self, request: Request) -> Response:
        return Response(self.shown(reviews.waiting_for(self.user)))
