"""`manage.py claims PATH`: what public leaderboards claim; needs no database, stores nothing."""

import json as writer
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pacts.importers import RunsMalformed
from pacts.importers.files import members_at
from pacts.importers.leaderboards import StatedClaim, claims_in


class Command(BaseCommand):
    help = "Reads leaderboards (Every Eval Ever, τ²-bench, aider) and says what holds together."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="+")
        parser.add_argument("--model", default="", help="only models whose name holds this")
        parser.add_argument("--json", action="store_true", help="one line of JSON for each claim")

    def handle(self, *args: Any, file: list[Path], model: str, json: bool, **options: Any) -> None:
        for path in file:
            if not path.exists():
                raise CommandError(f"{path} is neither a file nor a folder")
            try:
                found = claims_in(members_at(path))
            except (RunsMalformed, OSError) as error:
                raise CommandError(f"{path.name}: {error}") from error
            for claim in found:
                if model.lower() in claim.model.lower():
                    self.stdout.write(_json(claim) if json else _line(claim))


def _json(claim: StatedClaim) -> str:
    facts = {name: getattr(claim, name) for name in StatedClaim.__dataclass_fields__}
    facts |= {
        "score": round(float(claim.score), 6),
        "measured_on": claim.measured_on.isoformat() if claim.measured_on else None,
        "comparability": list(claim.comparability),
        "contradictions": list(claim.contradictions),
    }
    return writer.dumps(facts, ensure_ascii=False)


def _line(claim: StatedClaim) -> str:
    day = claim.measured_on.isoformat() if claim.measured_on else "undated"
    tasks = f", {claim.units} tasks" if claim.units else ""
    notes = [*claim.comparability, *(f"contradicted: {said}" for said in claim.contradictions)]
    said = f"{day}{tasks}; run by {claim.ran_by.replace('_', ' ')}"
    named = f"{claim.benchmark}: {claim.agent}, {claim.model}"
    return "; ".join([f"{float(claim.score):8.2%}  {named} ({said})", *notes])
