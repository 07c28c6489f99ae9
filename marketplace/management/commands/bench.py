"""`manage.py bench <name>`: measure on a server of its own, print ratios and the bars they have."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.benches import settlement
from marketplace.benches.crowd import BenchFailed
from marketplace.benches.figures import as_json
from marketplace.benches.settlement import QUICK, Plan


class Command(BaseCommand):
    help = "Measure. Starts a durable PostgreSQL of its own and removes it; exits 1 below a bar."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=["settlement"])
        parser.add_argument("--quick", action="store_true", help="a minute, on smaller sizes")
        parser.add_argument("--json", action="store_true", help="end with one line of JSON")
        parser.add_argument("--clients", help="numbers of clients, as 1,4,16")
        parser.add_argument("--rounds", type=int)
        parser.add_argument("--seconds", type=float, help="how long one pass takes")
        parser.add_argument("--entries", type=int, help="how long the past is, for growth")

    def handle(self, *args: Any, quick: bool, json: bool, **options: Any) -> None:
        plan = _plan(quick, options)
        if quick:
            self._say(
                f"--quick: {plan.rounds} passes of {plan.seconds} s, growth at {plan.entries:,} "
                f"entries. Smaller than the bars are meant for; the full run decides.\n"
            )
        try:
            figures = settlement.run(plan, self._say)
        except BenchFailed as error:
            raise CommandError(str(error)) from error
        self._say("")
        for figure in figures:
            self._say(str(figure))
        if json:
            self._say(as_json(figures))
        elif not all(figure.holds for figure in figures):
            raise CommandError("a bar is missed", returncode=1)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _plan(quick: bool, options: dict[str, Any]) -> Plan:
    asked = {name: options[name] for name in ("rounds", "seconds", "entries") if options[name]}
    if options["clients"]:
        asked["clients"] = tuple(int(number) for number in options["clients"].split(","))
    return Plan(**(QUICK if quick else {}) | asked)
