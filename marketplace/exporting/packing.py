"""Archives from the queue of rows: claimed under a lease, packed in one snapshot, kept a week."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from psycopg.errors import SerializationFailure

from marketplace import disclosure
from marketplace.acting import Acting
from marketplace.exporting import contents
from marketplace.exporting.marks import mark_of, subjects_of
from marketplace.exporting.readme import readme
from marketplace.exporting.writing import Sink, Writer
from marketplace.log import PROGRAMS
from marketplace.models import Archive, ArchivePiece
from marketplace.notices.phrases import word
from pacts.bundles import bundle_of
from pacts.models import CallContent, Party, User, Verdict
from reputation import bundles, strongbox
from reputation.models import EvidenceSubject
from reputation.proofs import NotYetProvable
from settlement import statements
from settlement.models import Receipt

PURPOSE = "archives/1"
KEPT = timedelta(days=7)
LEASE = timedelta(minutes=15)
MOST_ATTEMPTS = 3
SAME_FOR = timedelta(hours=1)  # that one asked for is given again while nothing changed
SAME = word(
    "Nothing changed since the archive of less than an hour ago was packed, so it is still what a "
    "new one would be: download that one."
)


class ArchiveGone(ValueError):
    """The archive is not there to be read: not packed yet, or its time is over."""


def ask(*, party: Party, by: User, now: datetime) -> Archive:
    """Ask for everything. The one being packed already is returned as it is, and so is one that is
    ready, was asked for within the last hour and is still what a new one would be."""
    with transaction.atomic():
        party = Party.objects.select_for_update(no_key=True).get(pk=party.pk)
        waiting = party.archives.filter(state__in=["queued", "packing"]).first()
        found = waiting or _still_the_same(party, by, now)
        return found or Archive.objects.create(party=party, asked_by=by, asked_at=now)


def _still_the_same(party: Party, by: User, now: datetime) -> Archive | None:
    lately = party.archives.filter(
        state=Archive.State.READY, asked_at__gte=now - SAME_FOR, expires_at__gte=now
    )
    row = lately.order_by("-asked_at").first()
    return row if row and row.mark == mark_of(party=party, user=by) else None


def take_back(*, subject_id: str) -> int:
    """End the archives of a party, or of those a person acts for: what they hold is being erased.
    One that is under way is packed again. How many.

    The caller is in the transaction that erases; nobody begins to pack for them until it ends.
    """
    concerned = Q(pk=subject_id) | Q(members__user=subject_id) | Q(archives__asked_by=subject_id)
    found = Party.objects.filter(concerned).values_list("pk", flat=True)
    locked = Party.objects.filter(pk__in=set(found)).order_by("pk").select_for_update(no_key=True)
    rows = Archive.objects.filter(party__in=[party.pk for party in locked])
    under_way = rows.filter(state=Archive.State.PACKING)
    again = under_way.update(state=Archive.State.QUEUED, lease_expires_at=None)
    return again + _expire(rows.filter(state=Archive.State.READY))


def pack_next(*, now: datetime) -> str | None:
    """Pack the archive that waits longest; its id, or None when none waits."""
    row = _claimed(now)
    if row is None:
        return None
    try:
        _pack_whole(row, now)
    except OperationalError as error:  # it changed hands, or was taken back, while it was packed
        if not isinstance(error.__cause__, SerializationFailure):
            raise
    return row.pk


def _pack_whole(row: Archive, now: datetime) -> None:
    """All of it as it is at one moment."""
    with transaction.atomic():
        if not connection.savepoint_ids:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        mark = mark_of(party=row.party, user=row.asked_by)
        size, digest, counts = _pack(row)
        done = Archive.objects.filter(pk=row.pk, attempt=row.attempt, state="packing").update(
            state=Archive.State.READY,
            lease_expires_at=None,
            ready_at=now,
            expires_at=now + KEPT,
            size=size,
            digest=digest,
            counts=counts,
            mark=mark,
        )
        if not done:  # somebody took it over: their pieces count
            transaction.set_rollback(True)


def _claimed(now: datetime) -> Archive | None:
    with transaction.atomic():
        free = Q(state="queued") | Q(state="packing", lease_expires_at__lt=now)
        # Its party's row too: an erasure that is not over holds it.
        rows = Archive.objects.select_related("party").select_for_update(
            skip_locked=True, no_key=True, of=("self", "party")
        )
        row = rows.filter(free).order_by("asked_at").first()
        if row is None:
            return None
        if row.attempt >= MOST_ATTEMPTS:
            row.state = Archive.State.FAILED
            row.save(update_fields=["state"])
            return None
        Archive.objects.filter(pk=row.pk).update(
            state=Archive.State.PACKING, attempt=F("attempt") + 1, lease_expires_at=now + LEASE
        )
        row.refresh_from_db()
    return row


def _pack(row: Archive) -> tuple[int, str, dict[str, int]]:
    ArchivePiece.objects.filter(archive=row).delete()
    places = iter(range(10**6))

    def keep(data: bytes) -> None:
        sealed = strongbox.seal(purpose=PURPOSE, secret=data)
        ArchivePiece.objects.create(
            archive=row, attempt=row.attempt, position=next(places), body=sealed
        )

    sink = Sink(keep)
    writer = Writer(sink, at=row.asked_at)
    counts = _fill(writer, row)
    writer.close()
    sink.finish()
    return sink.size, f"sha256:{sink.digest.hexdigest()}", counts


def _fill(writer: Writer, row: Archive) -> dict[str, int]:
    tables = contents.tables_of(party=row.party, user=row.asked_by)
    writer.text("README.md", readme(party=row.party, at=row.asked_at, tables=tables))
    counts = {}
    for table in tables:
        counts[table.name] = writer.rows(f"data/{table.name}", table.read())
        shown = [table.renamed.get(name, name) for name in table.columns]
        writer.sheet(f"data/{table.name}", shown, table.read())
    counts["call_contents"] = writer.rows("data/call_contents", _call_contents(row.party))
    _statement(writer, row)
    counts["receipts"] = _receipts(writer, row.party)
    counts["evaluation_bundles"] = _evaluations(writer, row.party)
    counts["evidence_bundles"] = _evidence(writer, row)
    writer.text("verify.py", (PROGRAMS / "verify.py").read_bytes())
    return counts


def _call_contents(party: Party) -> Iterator[dict[str, Any]]:
    """What was said in the calls that the party itself reported, while it is kept."""
    rows = CallContent.objects.filter(call__reporter=party).select_related("call").order_by("pk")
    for one in rows.iterator(chunk_size=contents.CHUNK):
        said = bytes(one.body).decode("utf-8", errors="replace")
        yield {"call_id": str(one.call.call_id), "said": said, "kept_until": one.kept_until}


def _statement(writer: Writer, row: Archive) -> None:
    since = row.party.created_at
    until = row.asked_at + timedelta(days=1)
    writer.lines("money/statement.csv", statements.csv(party=row.party, since=since, until=until))


def _receipts(writer: Writer, party: Party) -> int:
    hired = contents.engagements_of(party)
    rows = Receipt.objects.filter(escrow__milestone__engagement__in=hired).order_by("pk")
    count = 0
    for count, one in enumerate(rows.select_related("key").iterator(), 1):  # noqa: B007
        document = {
            "body": one.body,
            "signature": bytes(one.signature).hex(),
            "public_key": bytes(one.key.public_key).hex(),
        }
        writer.text(f"receipts/{one.pk}.json", json.dumps(document))
    return count


def _evaluations(writer: Writer, party: Party) -> int:
    """Runs the party asked for, whole, as `manage.py evaluation verify` reads them."""
    rows = Verdict.objects.filter(evaluation__requested_by=party).order_by("evaluation_id")
    related = (
        *("evaluation__agent_version", "evaluation__pact_version"),
        *("evaluation__task_set_version", "evaluation__requested_by"),
    )
    count = 0
    for count, one in enumerate(rows.select_related(*related).iterator(), 1):  # noqa: B007
        writer.text(f"evaluations/{one.evaluation_id}.json", bundle_of(one.evaluation))
    return count


def _evidence(writer: Writer, row: Archive) -> int:
    """Whatever names an engagement or an agent of the party, or the party itself, with proofs."""
    acting, count = Acting(row.asked_by, row.party), 0
    for subject in subjects_of(row.party):
        rows = EvidenceSubject.objects.filter(subject_id=subject)
        ids = sorted(set(rows.values_list("evidence_id", flat=True)))
        for first in range(0, len(ids), bundles.MOST_ENTRIES):
            some = ids[first : first + bundles.MOST_ENTRIES]
            opened = disclosure.opened_to(acting, evidence_ids=some)
            try:
                found = bundles.bundle(evidence_ids=some, opened=opened)
            except NotYetProvable:  # nothing was ever signed: there is nothing to prove yet
                return count
            part = first // bundles.MOST_ENTRIES + 1
            writer.text(f"evidence/{subject}-{part}.json", json.dumps(found))
            count += 1
    return count


def pieces_of(row: Archive, *, now: datetime) -> Iterator[bytes]:
    """The zip, piece by piece. Raises `ArchiveGone`; at exactly its end it can still be read."""
    if row.state != Archive.State.READY or row.expires_at is None or now > row.expires_at:
        raise ArchiveGone("this archive is not there any more; ask for a new one")
    return _unsealed(row)


def _unsealed(row: Archive) -> Iterator[bytes]:
    places = row.pieces.filter(attempt=row.attempt).order_by("position")
    for pk in list(places.values_list("pk", flat=True)):
        piece = ArchivePiece.objects.get(pk=pk)
        yield strongbox.unseal(purpose=PURPOSE, sealed=bytes(piece.body))


def forget_expired(*, now: datetime) -> int:
    """Delete the pieces of archives strictly past their time; returns how many archives."""
    return _expire(Archive.objects.filter(state=Archive.State.READY, expires_at__lt=now))


def _expire(rows: "QuerySet[Archive]") -> int:
    ids = list(rows.values_list("pk", flat=True))
    ArchivePiece.objects.filter(archive__in=ids).delete()
    return Archive.objects.filter(pk__in=ids).update(state=Archive.State.EXPIRED)
