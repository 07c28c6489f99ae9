"""`manage.py bench <name>`: measure on a server of its own, print ratios and the bars they have."""

from argparse import ArgumentParser
from dataclasses import fields
from types import ModuleType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.benches import evaluation, evidence, guard, ingestion, pages, settlement
from marketplace.benches.crowd import BenchFailed
from marketplace.benches.figures import as_json

# Each has a `Plan` (a dataclass), `QUICK` (what a quick plan changes), `smaller` and `run`.
BENCHES: dict[str, ModuleType] = {
    "settlement": settlement,
    "evaluation": evaluation,
    "evidence": evidence,
    "ingestion": ingestion,
    "guard": guard,
    "pages": pages,
}


class Command(BaseCommand):
    help = "Measure. Starts a durable PostgreSQL of its own and removes it; exits 1 below a bar."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=sorted(BENCHES))
        parser.add_argument("--quick", action="store_true", help="a minute, on smaller sizes")
        parser.add_argument("--json", action="store_true", help="end with one line of JSON")
        parser.add_argument("--clients", help="numbers of clients, as 1,4,16")
        parser.add_argument("--rounds", type=int)
        parser.add_argument("--seconds", type=float, help="how long one pass takes")
        parser.add_argument("--entries", type=int, help="how long the past is, for growth")
        parser.add_argument("--audited", type=int, help="how many entries are audited")
        parser.add_argument("--samples", type=int, help="how many samples are evaluated")
        parser.add_argument("--theirs", type=int, help="how many of them by the yardstick")
        parser.add_argument("--small", type=int, help="samples of the small run, for growth")

    def handle(self, *args: Any, name: str, quick: bool, json: bool, **options: Any) -> None:
        bench = BENCHES[name]
        plan = _plan(bench, quick, options)
        if quick:
            self._say(bench.smaller(plan))
        try:
            figures = bench.run(plan, self._say)
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


def _plan(bench: ModuleType, quick: bool, options: dict[str, Any]) -> Any:
    known = {one.name for one in fields(bench.Plan)}
    asked = {name: options[name] for name in known & options.keys() if options[name]}
    if "clients" in asked:
        asked["clients"] = tuple(int(number) for number in asked["clients"].split(","))
    return bench.Plan(**(bench.QUICK if quick else {}) | asked)
