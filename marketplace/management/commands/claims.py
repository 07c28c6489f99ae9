"""`manage.py claims FILE`: what a public leaderboard claims; needs no database, stores nothing."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pacts.importers import RunsMalformed
from pacts.importers.leaderboards import StatedClaim, read_claims


class Command(BaseCommand):
    help = "Reads leaderboards (Every Eval Ever, τ²-bench, aider) and says what holds together."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="+")
        parser.add_argument("--model", default="", help="only models whose name holds this")

    def handle(self, *args: Any, file: list[Path], model: str, **options: Any) -> None:
        for path in file:
            try:
                found = read_claims(name=path.name, data=path.read_bytes())
            except (RunsMalformed, OSError) as error:
                raise CommandError(f"{path.name}: {error}") from error
            for claim in found:
                if model.lower() in claim.model.lower():
                    self.stdout.write(_line(claim))


def _line(claim: StatedClaim) -> str:
    day = claim.measured_on.isoformat() if claim.measured_on else "undated"
    tasks = f", {claim.units} tasks" if claim.units else ""
    notes = [*claim.comparability, *(f"contradicted: {said}" for said in claim.contradictions)]
    said = f"{day}{tasks}; run by {claim.ran_by.replace('_', ' ')}"
    named = f"{claim.benchmark}: {claim.agent}, {claim.model}"
    return "; ".join([f"{float(claim.score):8.2%}  {named} ({said})", *notes])
