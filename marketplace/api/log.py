"""The log for programs: its heads, proofs between and below them, and evidence to carry away.

The files of C2SP tlog-tiles themselves (checkpoint, tiles, entry bundles) are at `/log/`.
"""

import base64
from collections.abc import Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from marketplace import disclosure
from marketplace.api.engagements import OfEngagements
from marketplace.api.nouns import Lists, Noun
from pacts.models import Agent
from reputation import bundles, checkpoints, keys, proofs, schemas, witnesses
from reputation.identifiers import is_id
from reputation.models import Checkpoint, Evidence, EvidenceSubject, WitnessAnswer

SINCE = OpenApiParameter(
    "since", int, many=True, description="Size of an earlier head: proves that it is contained."
)
BEFORE = OpenApiParameter("before", str, description="Only evidence before this id: `older`.")


class HeadSerializer(serializers.ModelSerializer[Checkpoint]):
    """A signed head. `root` is in base64; `checkpoint` is the signed note with cosignatures."""

    root = serializers.SerializerMethodField()  # type: ignore[assignment]
    checkpoint = serializers.SerializerMethodField()
    witnesses = serializers.SerializerMethodField()

    class Meta:
        model = Checkpoint
        fields = ["size", "root", "signed_at", "checkpoint", "witnesses"]

    def get_root(self, head: Checkpoint) -> str:
        return base64.b64encode(bytes(head.root)).decode()

    def get_checkpoint(self, head: Checkpoint) -> str:
        return checkpoints.text_of(head)

    def get_witnesses(self, head: Checkpoint) -> list[str]:
        return [one.witness for one in head.cosignatures.all()]


class WitnessSerializer(serializers.Serializer[Any]):
    """`accepted` is null for a witness that has not answered; `reason` is that of a refusal."""

    name = serializers.CharField()
    key = serializers.CharField()
    size = serializers.IntegerField(allow_null=True)
    accepted = serializers.BooleanField(allow_null=True)
    reason = serializers.CharField()
    answered_at = serializers.DateTimeField(allow_null=True)


class LogSerializer(serializers.Serializer[Any]):
    origin = serializers.CharField()
    keys = serializers.ListField(child=serializers.CharField())
    entries = serializers.IntegerField()
    head = HeadSerializer(allow_null=True)
    witnesses = WitnessSerializer(many=True)


class ProofSerializer(serializers.Serializer[Any]):
    """Null until a signed head covers the evidence, a few seconds after it was recorded."""

    id = serializers.CharField()
    index = serializers.IntegerField(allow_null=True)
    proof = serializers.ListField(child=serializers.CharField(), allow_null=True)
    checkpoint = serializers.CharField(allow_null=True)


class ConsistencySerializer(serializers.Serializer[Any]):
    """That the first `to` entries begin with the first `from`: hashes in base64 (RFC 6962)."""

    proof = serializers.ListField(child=serializers.CharField())

    def get_fields(self) -> dict[str, Any]:
        sizes = {"from": serializers.IntegerField(), "to": serializers.IntegerField()}
        return {**sizes, **super().get_fields()}


class PrivateSerializer(serializers.Serializer[Any]):
    salt = serializers.CharField()
    payload = serializers.CharField()


class BundledEntrySerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    index = serializers.IntegerField()
    envelope = serializers.CharField()
    proof = serializers.ListField(child=serializers.CharField())
    private = PrivateSerializer(required=False)


class BundleSerializer(serializers.Serializer[Any]):
    """What `verify.py` verifies without us. `older` is the next `?before=`, null at the end."""

    format = serializers.CharField()
    log_keys = serializers.ListField(child=serializers.CharField())
    witness_keys = serializers.ListField(child=serializers.CharField())
    checkpoint = serializers.CharField()
    entries = BundledEntrySerializer(many=True)
    waiting = serializers.ListField(child=serializers.CharField())
    consistency = ConsistencySerializer(many=True)
    older = serializers.CharField(allow_null=True)


class KindSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    version = serializers.IntegerField()
    schema = serializers.DictField()


class KindsSerializer(serializers.Serializer[Any]):
    results = KindSerializer(many=True)


class TheLog(Noun):
    """The log as it is: whose it is, how far it was signed, and what its witnesses said."""

    gives = LogSerializer

    def get(self, request: Request) -> Response:
        head = checkpoints.newest()
        return Response(
            {
                "origin": head.key.origin if head else settings.LOG_ORIGIN,
                "keys": [str(key) for key in keys.vkeys()],
                "entries": checkpoints.size(),
                "head": HeadSerializer(head).data if head else None,
                "witnesses": WitnessSerializer(_witnesses(), many=True).data,
            }
        )


class Heads(Lists):
    """Every head that was ever signed, the newest first."""

    gives = HeadSerializer
    ordering_fields: ClassVar[tuple[str, ...]] = ("size",)
    ordering: ClassVar[tuple[str, ...]] = ("-size",)

    def get_queryset(self) -> QuerySet[Checkpoint]:
        return Checkpoint.objects.prefetch_related("cosignatures")


class Consistency(Noun):
    """A proof that the larger of two heads contains the smaller one."""

    gives = ConsistencySerializer

    @extend_schema(
        parameters=[
            OpenApiParameter("from", int, description="The smaller size; 0 unless given."),
            OpenApiParameter("to", int, description="The larger; the newest head unless given."),
        ]
    )
    def get(self, request: Request) -> Response:
        head = checkpoints.newest()
        signed = head.size if head else 0
        old = _size(request.query_params.get("from", "0"), "from", signed)
        new = _size(request.query_params.get("to", str(signed)), "to", signed)
        if old > new:
            raise ValidationError({"from": ["The smaller size goes here, the larger into `to`."]})
        steps = proofs.consistency(old=old, new=new)
        return Response({"from": old, "to": new, "proof": _encoded(steps)})


class EvidenceProof(Noun):
    """Where a piece of evidence is in the log, and the proof of it below the newest head."""

    gives = ProofSerializer

    def get(self, request: Request, id: str) -> Response:
        self.find(Evidence.objects.all(), pk=id)
        try:
            found = proofs.tlog_proof(evidence_id=id)
        except proofs.NotYetProvable:
            return Response({"id": id, "index": None, "proof": None, "checkpoint": None})
        proof = _encoded(found.hashes)
        return Response({"id": id, "index": found.index, "proof": proof, "checkpoint": found.note})


class Bundle(Noun):
    """Evidence with its proofs, to be verified offline; private parts where the asker may."""

    gives = BundleSerializer

    def answer(self, ids: list[str], older: str | None = None) -> Response:
        signed = checkpoints.newest()
        largest = signed.size if signed else 0
        since = self.request.query_params.getlist("since")
        content = bundles.bundle(
            evidence_ids=ids,
            opened=disclosure.opened_to(self.acting, evidence_ids=ids),
            since=[_size(one, "since", largest) for one in since[:20]],
        )
        return Response({**content, "older": older})

    def about(self, subject_id: str) -> Response:
        """A page of what names the subject, the newest first."""
        before = self.request.query_params.get("before")
        if before and not is_id(before):
            raise ValidationError({"before": ["Take the id that `older` gave."]})
        rows = EvidenceSubject.objects.filter(subject_id=subject_id)
        if before:
            rows = rows.filter(evidence_id__lt=before)
        newest = rows.order_by("-evidence_id").values_list("evidence_id", flat=True).distinct()
        ids = list(newest[: bundles.MOST_ENTRIES + 1])
        page = ids[: bundles.MOST_ENTRIES]
        return self.answer(page, page[-1] if len(ids) > len(page) else None)


class EvidenceBundle(Bundle):
    """One piece of evidence to carry away."""

    @extend_schema(parameters=[SINCE])
    def get(self, request: Request, id: str) -> Response:
        return self.answer([self.find(Evidence.objects.all(), pk=id).pk])


class AgentBundle(Bundle):
    """Evidence that names an agent, 500 pieces at a time."""

    @extend_schema(parameters=[SINCE, BEFORE])
    def get(self, request: Request, id: str) -> Response:
        return self.about(self.find(Agent.objects.all(), pk=id).pk)


class EngagementBundle(OfEngagements, Bundle):
    """Evidence that names an engagement, for its sides and whoever rules on it."""

    @extend_schema(parameters=[SINCE, BEFORE])
    def get(self, request: Request, id: str) -> Response:
        return self.about(self.find(self.engagements(), pk=id).pk)


class EvidenceKinds(Noun):
    """The JSON Schema of every kind of evidence, in every version there ever was."""

    gives = KindsSerializer

    def get(self, request: Request) -> Response:
        found = [
            {
                "kind": kind,
                "version": version,
                "schema": schemas.schema_of(kind=kind, version=version),
            }
            for kind, version in schemas.published()
        ]
        return Response({"results": found})


def _witnesses() -> list[dict[str, Any]]:
    """Each witness we trust, with what it last answered."""
    said = witnesses.answers()
    trusted = witnesses.trusted_witnesses()
    return [_witness(key.name, str(key), said.get(key.name)) for key, _ in trusted]


def _witness(name: str, key: str, answer: WitnessAnswer | None) -> dict[str, Any]:
    return {
        "name": name,
        "key": key,
        "size": answer and answer.size,
        "accepted": answer and answer.accepted,
        "reason": answer.reason if answer else "",
        "answered_at": answer and answer.answered_at,
    }


def _size(text: str, field: str, largest: int) -> int:
    """A size of a signed tree. Raises ValidationError."""
    if not (text.isascii() and text.isdecimal() and len(text) < 19 and int(text) <= largest):
        raise ValidationError({field: [f"Give a whole number from 0 to {largest}."]})
    return int(text)


def _encoded(hashes: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(one).decode() for one in hashes]
