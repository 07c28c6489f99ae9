"""`python3 manage.py erase ID`: erase what is private about somebody; every proof stays."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace import erasure
from marketplace.farewells import PersonNeeded
from reputation.clock import database_now


class Command(BaseCommand):
    help = "Erase what is private about an id: payloads, every copy of them, a person's account."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "id", help="public id of a person (usr_…), a party, an agent, an engagement…"
        )
        parser.add_argument("--reason", default="data_subject_request", help="a token")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = erasure.erase(
                subject_id=options["id"], reason=options["reason"], now=database_now()
            )
        except PersonNeeded as error:
            raise CommandError(str(error)) from error
        account = " The account is nobody's." if done.account else ""
        self.stdout.write(
            f"{done.payloads} private payloads erased, each erasure in the log; {done.texts} "
            f"texts emptied; {len(done.waiting)} wait for the end of their case.{account}"
        )
        for one in done.waiting:
            until = f"{one.until:%Y-%m-%d %H:%M} UTC"
            self.stdout.write(f"  {one.case_id}: erased when it ends, at the latest {until}")
        self.stdout.write(erasure.STAYS)
