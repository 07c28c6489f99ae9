"""Auto-GPT-Benchmarks reports: dated runs of named agents, and the booleans of every run since.

`AGENT/success_rate.json` lists, for each test, its outcome in every run, oldest first;
`AGENT/RUN/report.json` describes one run and states a test's `success_%`, which is the mean of
the LAST ten outcomes at that time, not of all. Each agent is one run here; each outcome a trial.
Reports without such lists count for themselves: a test's `success` in each is a trial, and what was
not `attempted` has no outcome.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

from pacts.importers.files import Member
from pacts.importers.run import (
    ImportedRun,
    ImportedTrial,
    Numbering,
    Published,
    RunsMalformed,
    label,
    mapping,
    moment,
    number,
    sequence,
    text,
)

NAME = "autogpt_benchmarks"
LATEST = 10
MARKS = {"benchmark_start_time", "completion_time", "benchmark_git_commit_sha"}


def select(files: Sequence[Member]) -> list[Member]:
    """Lists of outcomes by test, and reports."""
    return [member for member in files if _is_rates(member) or _is_report(member)]


def _is_rates(member: Member) -> bool:
    rates = member.first()
    return (
        isinstance(rates, dict)
        and bool(rates)
        and all(isinstance(one, list) and one and _is_outcome(one[0]) for one in rates.values())
    )


def _is_outcome(value: object) -> bool:
    return value is None or isinstance(value, bool)


def _is_report(member: Member) -> bool:
    report = member.first()
    return isinstance(report, dict) and "tests" in report and bool(MARKS & set(report))


def read(files: Sequence[Member]) -> list[ImportedRun]:
    """One run for each agent. Raises RunsMalformed."""
    rates = {_agent(member, 1): member for member in files if _is_rates(member)}
    reports: dict[str, list[Member]] = defaultdict(list)
    for member in files:
        if _is_report(member):
            folders = reversed(PurePosixPath(member.name).parts[:-1])
            known = (text(folder) for folder in folders if text(folder) in rates)
            reports[next(known, _agent(member, 2))].append(member)
    if not rates and not reports:
        raise RunsMalformed(f"{files[0].name} is neither a report nor a list of outcomes by test")
    return [
        _run(agent, rates[agent], reports[agent])
        if agent in rates
        else _reported(agent, reports[agent])
        for agent in sorted({*rates, *reports})
    ]


def _agent(member: Member, up: int) -> str:
    """The folder so many levels above a file, or the nearest there is; the file's own name last."""
    folders = PurePosixPath(member.name).parts[:-1]
    return text(folders[-min(up, len(folders))]) if folders else member.stem


def _reported(agent: str, members: Sequence[Member]) -> ImportedRun:
    """What reports say of themselves, oldest first."""
    reports = sorted(
        (mapping(member.json(), member.name) for member in members),
        key=lambda report: str(_finished(report)),
    )
    numbering = Numbering()
    return ImportedRun(
        format=NAME,
        benchmark="Auto-GPT-Benchmarks",
        agent=agent,
        made_at=_finished(reports[-1]),
        trials=[
            _trial(name, test, numbering)
            for report in reports
            for name, test in _tests(report.get("tests"))
        ],
    )


def _trial(name: str, test: Mapping[str, Any], numbering: Numbering) -> ImportedTrial:
    metrics = test.get("metrics")
    told = metrics if isinstance(metrics, dict) else {}
    tried = told.get("attempted", True)
    success = told.get("success") if isinstance(tried, bool) and tried else None
    spent = text(told.get("run_time")).split(" ")[0]
    return ImportedTrial(
        task=label(name),
        repeat=numbering.next(label(name)),
        score=Fraction(success) if isinstance(success, bool) else None,
        error="" if isinstance(success, bool) else "not attempted",
        group=_category(test),
        seconds=number(float(spent)) if spent.replace(".", "", 1).isdecimal() else None,
        cost_usd=number(told.get("cost")),
    )


def _run(agent: str, rates: Member, reports: Sequence[Member]) -> ImportedRun:
    outcomes = mapping(rates.json(), rates.name)
    report, tests = _latest(reports, outcomes)
    groups = {name: _category(test) for name, test in tests.items()}
    return ImportedRun(
        format=NAME,
        benchmark="Auto-GPT-Benchmarks",
        agent=agent,
        made_at=_finished(report),
        trials=[
            ImportedTrial(
                task=label(name),
                repeat=at,
                score=score,
                group=groups.get(name, ""),
                error="" if score is not None else "not attempted",
            )
            for name, listed in outcomes.items()
            for at, score in enumerate(_scores(listed, f"{rates.name}: {name}"))
        ],
        published=[] if not report else list(_published(tests, outcomes)),
        latest=LATEST,
    )


def _latest(
    reports: Sequence[Member], outcomes: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Mapping[str, Mapping[str, Any]]]:
    """The report that finished last and its tests, of those that tried what the outcomes list.

    Later reports of the archive try another set of tests, which no list of outcomes follows.
    """
    found: list[tuple[str, Mapping[str, Any], Mapping[str, Mapping[str, Any]]]] = []
    for member in reports:
        report = mapping(member.json(), member.name)
        tests = dict(_tests(report.get("tests")))
        if 2 * len(set(tests) & set(outcomes)) > len(tests):
            found.append((str(_finished(report)), report, tests))
    _, report, tests_of_it = max(found, key=lambda one: one[0], default=("", {}, {}))
    return report, tests_of_it


def _scores(listed: object, where: str) -> list[Fraction | None]:
    outcomes = sequence(listed, where)
    if not all(map(_is_outcome, outcomes)):
        raise RunsMalformed(f"{where}: an outcome is not true, false or null")
    return [None if outcome is None else Fraction(outcome) for outcome in outcomes]


def _tests(tests: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The tests of a report; a group holds its own `tests`."""
    for name, test in (tests if isinstance(tests, dict) else {}).items():
        given = mapping(test, name)
        if "tests" in given:
            yield from _tests(given["tests"])
        else:
            yield name, given


def _published(
    tests: Mapping[str, Mapping[str, Any]], outcomes: Mapping[str, Any]
) -> Iterator[Published]:
    for name, test in tests.items():
        metrics = test.get("metrics")
        stated = metrics.get("success_%") if isinstance(metrics, dict) else None
        if isinstance(stated, int | float) and name in outcomes:
            yield Published(f"latest:{label(name)}", Fraction(str(stated)) / 100, 4)


def _category(test: Mapping[str, Any]) -> str:
    category = test.get("category")
    return text(category[0]) if isinstance(category, list) and category else ""


def _finished(report: Mapping[str, Any]) -> datetime | None:
    """`2023-07-31-19:48` in early reports, ISO 8601 in later ones."""
    stated = text(report.get("completion_time"))
    if len(stated) == 16 and stated[10] == "-":
        stated = f"{stated[:10]}T{stated[11:]}"
    return moment(stated)
