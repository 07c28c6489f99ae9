"""History in: an agent's runs elsewhere, counted again and written down as what they are."""

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

from django.db import IntegrityError, transaction

from pacts.importers import FORMATS, RunsMalformed, read_runs
from pacts.importers.figures import contradictions, counts, figures
from pacts.importers.run import ImportedRun as Read
from pacts.importers.run import ImportedTrial as Tried
from pacts.models import AgentVersion, ImportedRun, ImportedTrial, User
from reputation import evidence
from reputation.canonical import sha256

MOST_TRIALS = 200_000
MOST_RUNS = 200
MOST_SENTENCES = 20
BATCH = 5_000
PPM = 1_000_000
KEPT = ("task", "repeat", "error", "group", "attack", "attacked", "seconds", "tokens", "cost_usd")


class ImportRefused(ValueError):
    """The run cannot be taken in; the message says what to do."""


def import_run(
    *,
    agent_version: AgentVersion,
    name: str,
    data: bytes,
    by: User,
    now: datetime,
    format: str | None = None,
    agent: str = "",
    benchmark: str = "",
) -> ImportedRun:
    """Take in one run from a file or an archive of another harness.

    A file that holds several is asked for one by `agent` (and `benchmark`), as the file names them.
    No text of the trajectories is kept: outcomes, counts and the file's SHA-256 are. Raises
    ImportRefused.
    """
    found = _read(name, data, format, agent, benchmark)
    if len(found) != 1:
        _refuse(found, "say whose and which is meant")
    with transaction.atomic():
        return _import(found[0], agent_version, name, data, by, now)


def import_runs(
    *,
    agent_version: AgentVersion,
    name: str,
    data: bytes,
    by: User,
    now: datetime,
    format: str | None = None,
    agent: str = "",
    benchmark: str = "",
) -> list[ImportedRun]:
    """Take in every run of one agent from a file or an archive: all of them, or none.

    `agent` says whose are meant where the file holds several agents'. Raises ImportRefused.
    """
    found = _read(name, data, format, agent, benchmark)
    if len({run.agent for run in found}) != 1:
        _refuse(found, "say whose are meant")
    if len(found) > MOST_RUNS:
        raise ImportRefused(f"more than {MOST_RUNS} runs at once: say which benchmark, or split it")
    with transaction.atomic():
        return [_import(run, agent_version, name, data, by, now) for run in found]


def _read(name: str, data: bytes, format: str | None, agent: str, benchmark: str) -> Sequence[Read]:
    """What was asked for in a file. Raises ImportRefused."""
    try:
        runs = read_runs(name=name, data=data, format=format)
    except RunsMalformed as error:
        raise ImportRefused(str(error)) from error
    found = [
        run
        for run in runs
        if (not agent or run.agent == agent) and (not benchmark or run.benchmark == benchmark)
    ]
    if not found:
        _refuse(runs, "none of them is asked for")
    return found


def _refuse(runs: Sequence[Read], why: str) -> NoReturn:
    offered = "; ".join(sorted({f"{run.agent} on {run.benchmark}" for run in runs})[:20])
    raise ImportRefused(f"the file holds {len(runs)} runs; {why}: {offered}")


def _import(
    run: Read, agent_version: AgentVersion, name: str, data: bytes, by: User, now: datetime
) -> ImportedRun:
    if len(run.trials) > MOST_TRIALS:
        raise ImportRefused(f"more than {MOST_TRIALS:,} trials in one run: import a part of it")
    try:
        with transaction.atomic():
            return _store(run, agent_version, name, data, by, now)
    except IntegrityError as error:
        if "imported_once" in str(error) or "imported_trials_once" in str(error):
            raise ImportRefused("this run of this file was imported before") from error
        raise


def _store(
    run: Read, agent_version: AgentVersion, name: str, data: bytes, by: User, now: datetime
) -> ImportedRun:
    added, wrong = counts(run), contradictions(run)
    stored = ImportedRun.objects.create(
        agent_version=agent_version,
        format=run.format,
        benchmark=run.benchmark,
        agent_name=run.agent,
        model_name=run.model,
        made_at=run.made_at if run.made_at is None or run.made_at <= now else None,
        file_name=name[-200:],
        file_digest=sha256(data),
        trials_digest=_digest(run),
        figures={name: f"{float(value):.6f}" for name, value in figures(run).items()},
        contradictions=wrong[:MOST_SENTENCES],
        notes=list(run.notes),
        imported_by=by,
        imported_at=now,
        **added,
    )
    ImportedTrial.objects.bulk_create((_row(stored, trial) for trial in run.trials), BATCH)
    evidence.append(
        kind="run.imported",
        subjects={
            "imported_run": stored.id,
            "agent": agent_version.agent_id,
            "agent_version": agent_version.id,
        },
        facts={"format": run.format.replace("_", "-"), "contradictions": len(wrong)} | added,
        digests={"file": stored.file_digest},
        at=now,
    )
    return stored


def _row(run: ImportedRun, trial: Tried) -> ImportedTrial:
    return ImportedTrial(
        run=run,
        task=trial.task,
        repeat=trial.repeat,
        score_ppm=None if trial.score is None else round(trial.score * PPM),
        error=trial.error,
        group=trial.group,
        attack=trial.attack,
        attacked=trial.attacked,
        seconds=trial.seconds,
        tokens=trial.tokens,
        cost_usd=trial.cost_usd,
        named_ppm={name: round(score * PPM) for name, score in trial.named.items()},
    )


def _digest(run: Read) -> str:
    """Of all that is kept of a run, whatever it was packed in."""
    lines = [
        f"{run.format}\n{run.agent}\n{run.benchmark}\n{run.made_at}",
        *sorted(
            repr((*(getattr(trial, name) for name in KEPT), *_scores(trial)))
            for trial in run.trials
        ),
    ]
    return sha256("\n".join(lines).encode())


def _scores(trial: Tried) -> list[str]:
    return [str(trial.score), *(f"{name} {score}" for name, score in trial.named.items())]


def titles() -> dict[str, str]:
    """The formats that are read, by name."""
    return {name: one.title for name, one in FORMATS.items()}
