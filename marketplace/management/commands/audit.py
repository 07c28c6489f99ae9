"""`python3 manage.py audit`: recompute the ledger from its entries; exit 1 if anything is wrong."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reputation.clock import database_now
from settlement.audit import RULES, audit
from settlement.models import Entry, Escrow


class Command(BaseCommand):
    help = "Recompute every balance and every escrow from the entries; name the first bad rows."

    def handle(self, *args: Any, **options: Any) -> None:
        findings = audit(now=database_now())
        for finding in findings:
            self.stderr.write(self.style.ERROR(str(finding)))
        if findings:
            raise CommandError(f"{len(findings)} rule(s) broken", returncode=1)
        self.stdout.write(
            f"{Entry.objects.count():,} entries and {Escrow.objects.count():,} escrows hold all "
            f"{len(RULES) + 1} rules."
        )
