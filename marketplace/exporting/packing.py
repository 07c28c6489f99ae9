"""Archives from the queue of rows: claimed under a lease, packed in one snapshot, kept a week."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q

from marketplace import disclosure
from marketplace.acting import Acting
from marketplace.exporting import contents
from marketplace.exporting.readme import readme
from marketplace.exporting.writing import Sink, Writer
from marketplace.log import PROGRAMS
from marketplace.models import Archive, ArchivePiece
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


class ArchiveGone(ValueError):
    """The archive is not there to be read: not packed yet, or its time is over."""


def ask(*, party: Party, by: User, now: datetime) -> Archive:
    """Ask for everything; the one being packed already is returned as it is."""
    with transaction.atomic():
        Party.objects.select_for_update(no_key=True).get(pk=party.pk)
        waiting = party.archives.filter(state__in=["queued", "packing"]).first()
        return waiting or Archive.objects.create(party=party, asked_by=by, asked_at=now)


def pack_next(*, now: datetime) -> str | None:
    """Pack the archive that waits longest; its id, or None when none waits."""
    row = _claimed(now)
    if row is None:
        return None
    with transaction.atomic():
        if not connection.savepoint_ids:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        size, digest, counts = _pack(row)
        done = Archive.objects.filter(pk=row.pk, attempt=row.attempt, state="packing").update(
            state=Archive.State.READY,
            lease_expires_at=None,
            ready_at=now,
            expires_at=now + KEPT,
            size=size,
            digest=digest,
            counts=counts,
        )
        if not done:  # somebody took it over: their pieces count
            transaction.set_rollback(True)
    return row.pk


def _claimed(now: datetime) -> Archive | None:
    with transaction.atomic():
        free = Q(state="queued") | Q(state="packing", lease_expires_at__lt=now)
        rows = Archive.objects.select_for_update(skip_locked=True, of=("self",))
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
    subjects = [
        row.party.pk,
        *contents.engagements_of(row.party).order_by("pk").values_list("pk", flat=True),
        *row.party.agents.order_by("pk").values_list("pk", flat=True),
    ]
    acting, count = Acting(row.asked_by, row.party), 0
    for subject in subjects:
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
    late = Archive.objects.filter(state=Archive.State.READY, expires_at__lt=now)
    ids = list(late.values_list("pk", flat=True))
    ArchivePiece.objects.filter(archive__in=ids).delete()
    return Archive.objects.filter(pk__in=ids).update(state=Archive.State.EXPIRED)
