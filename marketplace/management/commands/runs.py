"""`manage.py runs FILE`: what a run log adds up to; needs no database and stores nothing."""

import json as writer
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pacts.importers import FORMATS, RunsMalformed, read_runs
from pacts.importers.figures import contradictions, counts, figures
from pacts.importers.run import ImportedRun


class Command(BaseCommand):
    help = "Reads run logs of other harnesses; exits 1 where a stated figure is contradicted."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="+")
        parser.add_argument("--format", choices=list(FORMATS))
        parser.add_argument("--json", action="store_true", help="one line of JSON for each run")

    def handle(self, *args: Any, file: list[Path], json: bool, **options: Any) -> None:
        wrong = 0
        for path in file:
            try:
                found = read_runs(name=path.name, data=path.read_bytes(), format=options["format"])
            except (RunsMalformed, OSError) as error:
                raise CommandError(f"{path.name}: {error}") from error
            for run in found:
                wrong += len(contradictions(run))
                self.stdout.write(writer.dumps(_facts(run)) if json else _text(run))
        if wrong:
            raise CommandError(f"{wrong} stated figures are contradicted", returncode=1)


def _facts(run: ImportedRun) -> dict[str, Any]:
    return {
        "format": run.format,
        "benchmark": run.benchmark,
        "agent": run.agent,
        "model": run.model,
        **counts(run),
        "figures": {name: round(float(value), 6) for name, value in figures(run).items()},
        "published": len(run.published),
        "contradictions": [str(one) for one in contradictions(run)],
    }


def _text(run: ImportedRun) -> str:
    facts = _facts(run)
    lines = [
        f"{run.benchmark}: {run.agent} ({run.format}; {facts['tasks']} tasks, "
        f"{facts['trials']} trials, {facts['nulls']} without outcome)"
    ]
    lines += [f"  {name:<22}{value:.4f}" for name, value in facts["figures"].items()]
    lines += [f"  {run.published and len(run.published)} stated figures" * bool(run.published)]
    lines += [f"  contradicted: {line}" for line in facts["contradictions"]]
    return "\n".join(line for line in lines if line.strip())
