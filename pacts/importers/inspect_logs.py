"""inspect_ai logs: `.eval` archives (a header and one summary per sample), `.json` files, or an
archive of many of either, of the log's versions 1 and 2.

A sample's epochs are repeats of one task. The first scorer's value is the outcome, what others gave
stands beside it; of a scorer that gives several values, its first. Letters are worth what
inspect_ai's `value_to_float` says: C 1, P 0.5, I and N 0. A sample without a score has no outcome.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

from pacts.importers.files import Member
from pacts.importers.inspect_metrics import (
    Sampled,
    Scored,
    value_of,
    verified,
)
from pacts.importers.run import (
    ImportedRun,
    ImportedTrial,
    Numbering,
    RunsMalformed,
    kind_of_error,
    label,
    mapping,
    moment,
    number,
    sequence,
    some_share,
    text,
)

NAME = "inspect_ai"
HEADERS = ("header.json", "_journal/start.json")


def select(files: Sequence[Member]) -> list[Member]:
    """Logs: a header has `eval.task` and `eval.model`; all that lies beside it in its archive."""
    folders = _folders(files)
    return [
        member
        for member in files
        if any(member.name.startswith(folder) for folder in folders)
        or (not _is_inside(member) and _is_log(member.first()))
    ]


def read(files: Sequence[Member]) -> list[ImportedRun]:
    """One run for each log. Raises RunsMalformed."""
    folders = _folders(files)
    runs = [_packed(folder, files) for folder in folders]
    for member in files:
        if any(member.name.startswith(folder) for folder in folders):
            continue
        log = mapping(member.json(), member.name)
        if not _is_log(log):
            raise RunsMalformed(f"{member.name} names no task and no model")
        runs.append(_run(log, sequence(log.get("samples") or [], f"samples of {member.name}")))
    return runs


def _folders(files: Sequence[Member]) -> list[str]:
    """What every name in an `.eval` log begins with, for each log."""
    heads = [(member, head) for member in files for head in HEADERS if _ends(member.name, head)]
    return sorted({m.name.removesuffix(head) for m, head in heads if _is_log(m.first())})


def _ends(name: str, head: str) -> bool:
    return name == head or name.endswith(f"/{head}")


def _is_inside(member: Member) -> bool:
    """Samples of a log that has lost its header are no logs themselves."""
    return "samples" in PurePosixPath(member.name).parts[:-1]


def _packed(folder: str, files: Sequence[Member]) -> ImportedRun:
    """A log from its members; a run that was cut off has written no `header.json` yet."""
    inside = {m.name.removeprefix(folder): m for m in files if m.name.startswith(folder)}
    log = next(inside[name] for name in HEADERS if name in inside).json()
    if "summaries.json" in inside:
        return _run(log, sequence(inside["summaries.json"].json(), "summaries.json"))
    return _run(log, (m.json() for name, m in inside.items() if name.startswith("samples/")))


def _is_log(log: object) -> bool:
    about = log.get("eval") if isinstance(log, dict) else None
    return isinstance(about, dict) and "task" in about and "model" in about


def _run(log: Mapping[str, Any], samples: Iterable[Any]) -> ImportedRun:
    about, scored = mapping(log["eval"], "eval"), _scored(log)
    numbering = Numbering()
    taken = [_sample(mapping(sample, "a sample"), numbering) for sample in samples]
    if not taken and scored:
        raise RunsMalformed(f"the log of {text(about['task'])} holds figures and no samples")
    grouped = next((one.group_key for one in scored if one.group_key), "")
    kept = [_trial(sample, given, scored, grouped) for sample, given in taken]
    found = verified([sample for sample, _ in taken], scored)
    return ImportedRun(
        format=NAME,
        benchmark=text(about.get("task")),
        agent=text(about.get("solver")) or text(about.get("model")),
        model=text(about.get("model")),
        made_at=moment(about.get("created")),
        trials=kept,
        published=found.published,
        extra=found.extra,
        notes=[*_notes(log, len(kept)), *found.notes],
    )


def _notes(log: Mapping[str, Any], samples: int) -> list[str]:
    status, results = text(log.get("status")) or "started", log.get("results")
    notes = [] if status == "success" else [f"the log's status is “{status}”, not “success”"]
    if log.get("invalidated"):
        notes.append("its authors have marked the log as invalid")
    total = results.get("total_samples") if isinstance(results, dict) else None
    if isinstance(total, int) and total > samples:
        notes.append(f"the log holds {samples} of {total} samples")
    return notes


def _scored(log: Mapping[str, Any]) -> list[Scored]:
    """What the log states of each scorer; version 1 knew one, under another name."""
    results = log.get("results")
    told = results if isinstance(results, dict) else {}
    listed = told.get("scores")
    if not isinstance(listed, list) and isinstance(told.get("scorer"), dict):
        listed = [{**told["scorer"], "metrics": told.get("metrics")}]
    return [
        Scored.of(one, first=at == 0)
        for at, one in enumerate(listed or [])
        if isinstance(one, dict)
    ]


def _sample(given: Mapping[str, Any], numbering: Numbering) -> tuple[Sampled, Mapping[str, Any]]:
    scores = given.get("scores")
    if not isinstance(scores, dict):
        scores = {"": given["score"]} if isinstance(given.get("score"), dict) else {}
    task, epoch = label(given.get("id")), given.get("epoch")
    about = given.get("metadata")
    numbered = isinstance(epoch, int) and epoch > 0
    sample = Sampled(
        task=task,
        repeat=int(epoch or 1) - 1 if numbered else numbering.next(task),
        values={name: one.get("value") for name, one in scores.items() if isinstance(one, dict)},
        about=about if isinstance(about, dict) else {},
    )
    return sample, given


def _trial(
    sample: Sampled, given: Mapping[str, Any], scored: Sequence[Scored], grouped: str
) -> ImportedTrial:
    value, why = _outcome(sample, scored)
    failed, limit = given.get("error"), given.get("limit")
    said = failed.get("message") if isinstance(failed, dict) else failed
    reached = text(limit.get("type") if isinstance(limit, dict) else limit)
    return ImportedTrial(
        task=sample.task,
        repeat=sample.repeat,
        score=value,
        error=kind_of_error(said, "the sample broke") or why or (reached and f"{reached} limit"),
        group=text(sample.about.get(grouped)) if grouped else "",
        seconds=number(given.get("total_time")),
        tokens=_tokens(given.get("model_usage")),
        named=_others(sample, scored),
    )


def _outcome(sample: Sampled, scored: Sequence[Scored]) -> tuple[Fraction | None, str]:
    """The first scorer's value as a share, or why there is none."""
    if not sample.values:
        return None, "no score"
    if scored:
        value, raw = scored[0].value(sample), scored[0].raw(sample)
    else:
        raw = next(iter(sample.values.values()))
        value = value_of(raw)
    if value is None:
        return None, "the score is a text" if isinstance(raw, str) else "no score"
    found = some_share(value)
    return found, "" if found is not None else "the score is not from 0 to 1"


def _others(sample: Sampled, scored: Sequence[Scored]) -> dict[str, Fraction]:
    """What the scorers after the first gave, by name; reducers show one scorer several times."""
    first = scored[0].name if scored else ""
    found = {one.name: one.value(sample) for one in scored if one.name != first}
    return {
        name: kept
        for name, value in found.items()
        if value is not None and (kept := some_share(value)) is not None
    }


def _tokens(usage: object) -> int | None:
    spent = usage.values() if isinstance(usage, dict) else []
    totals = [one.get("total_tokens") for one in spent if isinstance(one, dict)]
    return sum(total for total in totals if isinstance(total, int)) if totals else None
