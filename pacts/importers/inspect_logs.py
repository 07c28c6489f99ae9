"""inspect_ai logs: `.eval` archives (a header and one summary per sample), `.json` files, or an
archive of many of either.

A sample's epochs are repeats of one task. The first scorer counts. Letters are worth what
inspect_ai's `value_to_float` says: C 1, P 0.5, I and N 0. A sample without a score has no outcome.
The stated accuracy is its mean over samples of the mean over epochs, its default reducer.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from pacts.importers.files import Member
from pacts.importers.run import (
    ImportedRun,
    ImportedTrial,
    Published,
    RunsMalformed,
    kind_of_error,
    mapping,
    moment,
    number,
    sequence,
    share,
    text,
)

NAME = "inspect_ai"
HEADERS = ("header.json", "_journal/start.json")
MOST_ASKED = 50
LETTERS = {"C": Fraction(1), "P": Fraction(1, 2), "I": Fraction(0), "N": Fraction(0)}
WORDS = {"yes": Fraction(1), "true": Fraction(1), "no": Fraction(0), "false": Fraction(0)}


def recognises(files: Sequence[Member]) -> bool:
    """A log's header has `eval.task` and `eval.model`."""
    heads = [member for member in files if _folder(member) is not None]
    whole = [member for member in files if member.name.endswith(".json")][:MOST_ASKED]
    return any(_is_log(member.json()) for member in heads or whole)


def read(files: Sequence[Member]) -> list[ImportedRun]:
    """One run for each log. Raises RunsMalformed."""
    folders = {folder for member in files if (folder := _folder(member)) is not None}
    runs = [_packed(folder, files) for folder in sorted(folders)]
    for member in files:
        if member.name.endswith(".json") and not any(map(member.name.startswith, folders)):
            log = member.json()
            if _is_log(log) and "samples" in log:
                runs.append(_run(log, sequence(log["samples"], f"samples of {member.name}")))
    return runs


def _folder(member: Member) -> str | None:
    """What every name in an `.eval` log begins with, when this is the log's header."""
    for head in HEADERS:
        if member.name == head or member.name.endswith(f".eval/{head}"):
            return member.name.removesuffix(head)
    return None


def _packed(folder: str, files: Sequence[Member]) -> ImportedRun:
    """A log from its members; a run that was cut off has written no `header.json` yet."""
    inside = {m.name.removeprefix(folder): m for m in files if m.name.startswith(folder)}
    head = next(inside[name] for name in HEADERS if name in inside)
    log = head.json()
    if not _is_log(log):
        raise RunsMalformed(f"{head.name} names no task and no model")
    if "summaries.json" in inside:
        return _run(log, sequence(inside["summaries.json"].json(), "summaries.json"))
    samples = [m.json() for name, m in inside.items() if name.startswith("samples/")]
    return _run(log, samples)


def _is_log(log: object) -> bool:
    about = log.get("eval") if isinstance(log, dict) else None
    return isinstance(about, dict) and "task" in about and "model" in about


def _run(log: Mapping[str, Any], samples: Sequence[Any]) -> ImportedRun:
    about = mapping(log["eval"], "eval")
    scorers = _scorers(log)
    status = text(log.get("status")) or "started"
    notes = [] if status == "success" else [f"the log's status is “{status}”, not “success”"]
    if len(scorers) > 1:
        notes.append(f"scored by {scorers[0]}; not taken: {', '.join(scorers[1:])}")
    return ImportedRun(
        format=NAME,
        benchmark=text(about.get("task")),
        agent=text(about.get("solver")) or text(about.get("model")),
        model=text(about.get("model")),
        made_at=moment(about.get("created")),
        trials=[_trial(mapping(s, "a sample"), scorers[:1]) for s in samples],
        published=_published(log),
        notes=notes,
    )


def _scorers(log: Mapping[str, Any]) -> list[str]:
    results = log.get("results")
    scores = results.get("scores") if isinstance(results, dict) else None
    return [text(s.get("name")) for s in scores or [] if isinstance(s, dict)]


def _published(log: Mapping[str, Any]) -> list[Published]:
    """The first scorer's accuracy or mean, when the log gives one."""
    results = log.get("results")
    scores = (results.get("scores") if isinstance(results, dict) else None) or []
    metrics = scores[0].get("metrics") if scores and isinstance(scores[0], dict) else None
    for name in ("accuracy", "mean"):
        found = metrics.get(name) if isinstance(metrics, dict) else None
        value = found.get("value") if isinstance(found, dict) else None
        if isinstance(value, int | float) and 0 <= value <= 1:
            return [Published("accuracy", share(value, name))]
    return []


def _trial(sample: Mapping[str, Any], scorers: Sequence[str]) -> ImportedTrial:
    scores = sample.get("scores")
    scores = scores if isinstance(scores, dict) else {}
    score = scores.get(scorers[0]) if scorers else next(iter(scores.values()), None)
    value, error = _value(score)
    failed = sample.get("error")
    said = failed.get("message") if isinstance(failed, dict) else failed
    epoch = sample.get("epoch")
    return ImportedTrial(
        task=text(sample.get("id")),
        repeat=epoch - 1 if isinstance(epoch, int) and epoch > 0 else 0,
        score=value,
        error=kind_of_error(said, "the sample broke") or error,
        seconds=number(sample.get("total_time")),
        tokens=_tokens(sample.get("model_usage")),
    )


def _value(score: object) -> tuple[Fraction | None, str]:
    if not isinstance(score, dict):
        return None, "no score"
    value = score.get("value")
    if isinstance(value, str):
        known = LETTERS.get(value, WORDS.get(value.lower()))
        return known, "" if known is not None else "the score is a text"
    if isinstance(value, dict | list) or value is None:
        return None, "the score is not one number"
    return share(value, "a score"), ""


def _tokens(usage: object) -> int | None:
    spent = usage.values() if isinstance(usage, dict) else []
    totals = [one.get("total_tokens") for one in spent if isinstance(one, dict)]
    return sum(total for total in totals if isinstance(total, int)) if totals else None
