"""Everything a party has, as one archive."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from marketplace.api.nouns import Lists, Makes, Noun, Reads
from marketplace.exporting import packing
from marketplace.models import Archive
from reputation.clock import database_now
from reputation.hints import hint


class ArchiveSerializer(serializers.ModelSerializer[Archive]):
    """`digest` is the zip's SHA-256; `counts` the rows by file. It can be read until
    `expires_at`, at `/archives/<id>/content`."""

    counts = serializers.DictField(child=serializers.IntegerField())
    note = serializers.SerializerMethodField(
        help_text="Why a POST answers with an archive that is ready already; else empty."
    )

    class Meta:
        model = Archive
        fields = [
            *("id", "state", "asked_at", "ready_at", "expires_at", "size", "digest", "counts"),
            "note",
        ]

    def get_note(self, row: Archive) -> str:
        asked = self.context["request"].method == "POST"
        return packing.SAME if asked and row.state == Archive.State.READY else ""


class OfArchives(Noun):
    """The party's own."""

    def archives(self) -> QuerySet[Archive]:
        return Archive.objects.filter(party_id=self.own)


class Archives(OfArchives, Lists, Makes):
    """Archives of everything the party has. A POST asks for one; while one is being packed it
    answers with that one, and so it does while nothing changed since one that was asked for within
    the last hour: `note` says so."""

    gives = ArchiveSerializer

    def get_queryset(self) -> QuerySet[Archive]:
        return self.archives()

    def create(self, given: dict[str, Any], now: datetime) -> Archive:
        asked = packing.ask(party=self.party, by=self.user, now=now)
        if asked.state != Archive.State.READY:
            hint("marketplace.tasks.pack_archives")
        return asked


class OneArchive(OfArchives, Reads):
    """One archive: whether it is ready."""

    gives = ArchiveSerializer

    def get_queryset(self) -> QuerySet[Archive]:
        return self.archives()


class ArchiveContent(OfArchives):
    """The zip, streamed. 410 before it is ready and once its time is over."""

    @extend_schema(responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: Request, id: str) -> StreamingHttpResponse:
        row = self.find(self.archives(), pk=id)
        pieces = packing.pieces_of(row, now=database_now())
        response = StreamingHttpResponse(pieces, content_type="application/zip")
        response["Content-Disposition"] = f'attachment; filename="earnest-{row.pk}.zip"'
        response["Content-Length"] = str(row.size)
        return response
