"""`python3 manage.py erase ID`: erase the private evidence about somebody; every proof stays."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from reputation import evidence
from reputation.clock import database_now


class Command(BaseCommand):
    help = "Erase the private payloads of all evidence that names an id, such as a party's."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", help="public id of a party, an agent, an engagement…")
        parser.add_argument("--reason", default="data_subject_request", help="a token")

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            erased = evidence.erase_payloads_of(
                subject_id=options["id"], reason=options["reason"], at=database_now()
            )
        self.stdout.write(f"{len(erased)} private payloads erased; each erasure is in the log.")
