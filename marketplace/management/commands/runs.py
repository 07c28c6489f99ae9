"""`manage.py runs PATH`: what run logs add up to; needs no database and stores nothing."""

import json as writer
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from pacts.importers import FORMATS, RunsMalformed, read_folder
from pacts.importers.figures import contradictions, counts, figures
from pacts.importers.run import ImportedRun

SIDE_BY_SIDE = (
    *("accuracy", "utility", "utility_under_attack", "attack_success", "latest_10"),
    *("pass^1", "pass^2", "pass^3", "pass^4", "pass^5"),
)
HEADS = {"utility_under_attack": "under attack", "attack_success": "attacks won"}
LONGEST_NAME = 44


class Command(BaseCommand):
    help = (
        "Reads run logs of other harnesses from files, archives and folders: what their trials add "
        "up to, beside what they state. Exits 1 where a stated figure is contradicted."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="+")
        parser.add_argument("--format", choices=list(FORMATS))
        parser.add_argument("--json", action="store_true", help="one line of JSON for each run")

    def handle(self, *args: Any, file: list[Path], json: bool, **options: Any) -> None:
        found = [run for path in file for run in _read(path, options["format"])]
        for run in found:
            self.stdout.write(writer.dumps(_facts(run), ensure_ascii=False) if json else _text(run))
        if not json and len(found) > 1:
            self.stdout.write("\n" + _side_by_side(found))
        wrong = sum(len(contradictions(run)) for run in found)
        if wrong:
            raise CommandError(f"{wrong} stated figures are contradicted", returncode=1)


def _read(path: Path, format: str | None) -> list[ImportedRun]:
    if not path.exists():
        raise CommandError(f"{path} is neither a file nor a folder")
    try:
        return read_folder(path=path, format=format)
    except (RunsMalformed, OSError) as error:
        raise CommandError(f"{path.name}: {error}") from error


def _facts(run: ImportedRun) -> dict[str, Any]:
    return {
        "format": run.format,
        "benchmark": run.benchmark,
        "agent": run.agent,
        "model": run.model,
        "made_at": run.made_at.isoformat() if run.made_at else None,
        **counts(run),
        "figures": {name: round(float(value), 6) for name, value in figures(run).items()},
        "stated": {one.name: float(one.value) for one in run.published},
        "published": len(run.published),
        "contradictions": contradictions(run),
        "notes": list(run.notes),
    }


def _text(run: ImportedRun) -> str:
    facts, stated = _facts(run), {one.name: one.value for one in run.published}
    computed = figures(run)
    width = max([22, *(len(name) + 2 for name in computed)])
    lines = [
        f"{run.benchmark}: {run.agent} ({run.format}; {facts['tasks']} tasks, "
        f"{facts['trials']} trials, {facts['nulls']} without outcome)"
    ]
    for name, value in computed.items():
        beside = f"   stated {float(stated[name]):.4f}" if name in stated else ""
        lines.append(f"  {name:<{width}}{float(value):.4f}{beside}")
    rest = len([name for name in stated if name not in computed])
    lines += [f"  {rest} more stated figures were held against the trials"] if rest else []
    lines += [f"  contradicted: {line}" for line in facts["contradictions"]]
    lines += [f"  note: {note}" for note in run.notes]
    return "\n".join(lines)


def _side_by_side(runs: Sequence[ImportedRun]) -> str:
    """A line for each run: its counts, and those figures that several formats have."""
    shares = [figures(run) for run in runs]
    shown = [name for name in SIDE_BY_SIDE if any(name in found for found in shares)]
    rows = [["agent", "benchmark", "tasks", "trials", *(HEADS.get(one, one) for one in shown)]]
    for run, found in zip(runs, shares, strict=True):
        added = counts(run)
        named = [_clip(run.agent), _clip(run.benchmark), str(added["tasks"]), str(added["trials"])]
        rows.append(
            [*named, *(f"{float(found[one]):.4f}" if one in found else "–" for one in shown)]
        )
    return "\n".join(_aligned(rows))


def _aligned(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.ljust(width) if at < 2 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _clip(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
