"""`python3 manage.py erase ID`: erase what is private about somebody; every proof stays."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from marketplace import erasure
from reputation.clock import database_now


class Command(BaseCommand):
    help = "Erase the private payloads of all evidence that names an id, and every copy of them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", help="public id of a party, an agent, an engagement…")
        parser.add_argument("--reason", default="data_subject_request", help="a token")

    def handle(self, *args: Any, **options: Any) -> None:
        done = erasure.erase(subject_id=options["id"], reason=options["reason"], now=database_now())
        self.stdout.write(
            f"{done.payloads} private payloads erased, each erasure in the log; "
            f"{done.texts} texts emptied; {done.waiting} wait for the end of their case.\n"
            f"{erasure.STAYS}"
        )
