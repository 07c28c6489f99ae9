"""`python3 manage.py audit`: recompute the ledger, hash the log again; exit 1 if one is wrong."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace import cosigning
from reputation import keys, notes
from reputation.audit import SeenHead, rehash
from reputation.clock import database_now
from reputation.models import LogKey
from settlement.audit import RULES, audit
from settlement.models import Entry, Escrow, Receipt


class Command(BaseCommand):
    help = "Recompute every balance, and hash the log against every head ever seen of it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--seen",
            action="append",
            default=[],
            help="a receipt (JSON) or checkpoint (text) that somebody kept; may be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        findings: list[object] = [*audit(now=database_now())]
        heads = [*_kept(options["seen"]), *_on_receipts(), *_remembered()]
        report = rehash(heads=heads)
        findings += report.findings
        for finding in findings:
            self.stderr.write(self.style.ERROR(str(finding)))
        if findings:
            raise CommandError(f"{len(findings)} rule(s) broken", returncode=1)
        self.stdout.write(
            f"{Entry.objects.count():,} entries and {Escrow.objects.count():,} escrows hold all "
            f"{len(RULES) + 1} rules."
        )
        self.stdout.write(
            f"{report.entries:,} pieces of evidence hash to all {report.heads:,} heads seen of "
            "the log."
        )


def _kept(paths: list[str]) -> Iterator[SeenHead]:
    for path in paths:
        text = Path(path).read_text("utf-8")
        if text.lstrip().startswith("{"):
            whole = json.loads(text)
            body = json.loads(whole["body"]) if "body" in whole else whole
            text = body["log"]["checkpoint"]
        yield _head(text, path)


def _on_receipts() -> Iterator[SeenHead]:
    """Each head that a receipt of ours embeds, once."""
    known: set[str] = set()
    rows = Receipt.objects.order_by("pk").values_list("pk", "body")
    for receipt_id, body in rows.iterator():
        text = json.loads(body).get("log", {}).get("checkpoint")
        if text and text not in known:
            known.add(text)
            yield _head(text, f"receipt {receipt_id}")


def _remembered() -> list[SeenHead]:
    """What the witnesses say they saw: their memory is not ours to change."""
    used = LogKey.objects.order_by("created_at").first()
    if used is None:
        return []
    return cosigning.seen_by_witnesses(
        egress=cosigning.way_out(), origin=used.origin, log_keys=keys.vkeys()
    )


def _head(text: str, seen: str) -> SeenHead:
    """The head a signed note states. Raises CommandError for one that we did not sign."""
    try:
        head = notes.read_checkpoint(text, keys.vkeys())
    except (notes.NoteMalformed, notes.SignatureUnknown, notes.SignatureWrong) as error:
        raise CommandError(f"{seen}: {error}", returncode=1) from error
    return SeenHead(head.size, head.root, seen)
