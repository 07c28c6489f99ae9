"""`manage.py simulate gaming`: attacks on standing, through the real scoring function."""

from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from marketplace.benches.figures import Figure, as_json
from reputation.simulation import gaming

BARS = {
    "overtake_blind": (400.0, False),
    "overtake_leaked": (100.0, False),
    "rank_correlation": (0.75, False),
    "newcomer_jobs": (15.0, True),
    "whitewash_gain": (0.0, True),
}


class Command(BaseCommand):
    help = "Attack the standing in simulated markets; every run follows its seeds."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=["gaming"])
        parser.add_argument("--quick", action="store_true", help="a minute, in smaller markets")
        parser.add_argument("--check", action="store_true", help="exit 1 when a bar is missed")
        parser.add_argument("--json", action="store_true", help="end with one line of JSON")
        parser.add_argument("--seed", type=int, action="append", help="replay; may be repeated")

    def handle(self, *args: Any, **options: Any) -> None:
        plan = gaming.SHORT if options["quick"] else gaming.Run()
        if options["seed"]:
            plan = replace(plan, seeds=tuple(options["seed"]))
        self._say(f"seeds {', '.join(map(str, plan.seeds))}; visible is {gaming.VISIBLE}")
        found = gaming.run(plan, self._say)
        gaming.yardsticks(plan, self._say)
        figures = [
            Figure(name, getattr(found, name), bar, at_most)
            for name, (bar, at_most) in BARS.items()
        ]
        self._say("")
        for figure in figures:
            self._say(str(figure))
        if options["json"]:
            self._say(as_json(figures))
        if options["check"] and not all(figure.holds for figure in figures):
            raise CommandError("a bar is missed", returncode=1)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
