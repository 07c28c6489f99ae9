"""Whether an archive is still what a new one would be: a mark over all it is packed from."""

from collections.abc import Iterator
from typing import Any

from django.db.models import Count, DecimalField, Func, QuerySet, Sum

from marketplace.exporting import contents
from pacts.models import CallContent, Evaluation, Party, User
from reputation import checkpoints
from reputation.canonical import digest
from reputation.models import EvidencePayload, EvidenceSubject, LogEntry
from settlement.models import Entry, Receipt

Part = tuple[str, int, str]


def mark_of(*, party: Party, user: User) -> str:
    """`sha256:<hex>` over which rows there are and which transaction last wrote each of them.

    It is another one after any change of them. Two marks are compared, and say nothing else.
    """
    parts = [*_tables(party, user), *_documents(party), *_log(party)]
    return digest([party.name, [list(part) for part in parts]])


def subjects_of(party: Party) -> list[str]:
    """What evidence about a party names: itself, its engagements and its agents."""
    return [
        party.pk,
        *contents.engagements_of(party).order_by("pk").values_list("pk", flat=True),
        *party.agents.order_by("pk").values_list("pk", flat=True),
    ]


def _tables(party: Party, user: User) -> Iterator[Part]:
    for table in contents.tables_of(party=party, user=user):
        joined = [column for column in table.columns if "__" in column]
        yield table.name, *_written(table.rows, *joined)


def _documents(party: Party) -> Iterator[Part]:
    hired = contents.engagements_of(party)
    runs = Evaluation.objects.filter(requested_by=party)
    yield "receipts", *_written(Receipt.objects.filter(escrow__milestone__engagement__in=hired))
    yield "call_contents", *_written(CallContent.objects.filter(call__reporter=party))
    yield "statement", *_written(Entry.objects.filter(account__owner=party))
    yield "evaluations", *_written(runs)


def _log(party: Party) -> Iterator[Part]:
    """What is logged about it, how much of that can be proved, and what is private still."""
    named = EvidenceSubject.objects.filter(subject_id__in=subjects_of(party))
    head = checkpoints.newest()
    proved = LogEntry.objects.filter(
        evidence__in=named.values("evidence"), index__lt=head.size if head else 0
    )
    kept = EvidencePayload.objects.filter(evidence__in=named.values("evidence"))
    for name, rows in (("named", named), ("proved", proved), ("private", kept)):
        yield name, rows.count(), ""


def _written(rows: "QuerySet[Any]", *joined: str) -> tuple[int, str]:
    """How many rows, and a sum over each one's id, the transaction that wrote it, where it lies
    since then, and what is read of rows beside it."""
    table = rows.model._meta.db_table
    said = Func(
        "pk",
        *joined,
        template="hashtextextended(concat_ws(chr(31), %(expressions)s, "
        f'"{table}".xmin::text, "{table}".ctid::text), 0)',
        output_field=DecimalField(max_digits=40, decimal_places=0),
    )
    found = rows.order_by().aggregate(count=Count("pk"), sum=Sum(said))
    return found["count"], str(found["sum"] or 0)
