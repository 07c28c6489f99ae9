"""`manage.py reconcile <rail>`: the rail's books against ours; exits 1 while anything is open."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from reputation.clock import database_now
from settlement.rails import RailUnknown, RailUnreachable
from settlement.reconciliation import open_differences, reconcile

USUAL_WINDOW = timedelta(days=2)


class Command(BaseCommand):
    help = "Compares a rail's movements with deposits, payouts, refunds and the ledger."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("rail")
        parser.add_argument("--since", type=_moment, help="ISO 8601; two days ago by default")
        parser.add_argument("--until", type=_moment, help="ISO 8601; now by default")

    def handle(self, *args: Any, **options: Any) -> None:
        now = database_now()
        until = options["until"] or now
        since = options["since"] or until - USUAL_WINDOW
        if since >= until:
            raise CommandError("the window ends before it begins")
        try:
            run = reconcile(rail=options["rail"], since=since, until=until, now=now)
        except (RailUnknown, RailUnreachable) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{run.id}: {run.movements} movements, {run.matched} matched, {run.healed} ended by "
            f"their rail's answer, {run.found} differences"
        )
        for code, total in sorted(run.totals.items()):
            self.stdout.write(f"  {code}: rail {total['rail']}, ledger {total['ledger']}")
        waiting = open_differences().filter(rail=run.rail).order_by("id")
        for one in waiting:
            self.stdout.write(
                f"  {one.id} {one.kind}: {one.subject or one.rail_reference}: "
                f"we say {one.ours}, the rail says {one.theirs}"
            )
        if waiting:
            raise CommandError(f"{len(waiting)} differences wait for somebody's reason")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
