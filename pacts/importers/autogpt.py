"""Auto-GPT-Benchmarks reports: dated runs of named agents, and the booleans of every run since.

`AGENT/success_rate.json` lists, for each test, its outcome in every run, oldest first;
`AGENT/RUN/report.json` describes one run and states a test's `success_%`, which is the mean of
the LAST ten outcomes at that time, not of all. Each agent is one run here; each outcome a trial.
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
    Published,
    RunsMalformed,
    mapping,
    moment,
    sequence,
    text,
)

NAME = "autogpt_benchmarks"
LATEST = 10
RATES, REPORT = "success_rate.json", "report.json"


def recognises(files: Sequence[Member]) -> bool:
    """There is a list of outcomes for an agent."""
    return any(PurePosixPath(member.name).name == RATES for member in files)


def read(files: Sequence[Member]) -> list[ImportedRun]:
    """One run for each agent. Raises RunsMalformed."""
    reports: dict[str, list[Member]] = defaultdict(list)
    for member in files:
        parts = PurePosixPath(member.name).parts
        if parts[-1] == REPORT and len(parts) >= 3:
            reports[parts[-3]].append(member)
    return [
        _run(_agent(member), member, reports.get(_agent(member), []))
        for member in files
        if PurePosixPath(member.name).name == RATES
    ]


def _agent(rates: Member) -> str:
    folders = PurePosixPath(rates.name).parts[:-1]
    if not folders:
        raise RunsMalformed(f"{rates.name} lies in no agent's folder")
    return folders[-1]


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
            ImportedTrial(task=text(name), repeat=at, score=score, group=groups.get(name, ""))
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


def _scores(listed: object, where: str) -> list[Fraction]:
    outcomes = sequence(listed, where)
    if not all(isinstance(outcome, bool) for outcome in outcomes):
        raise RunsMalformed(f"{where}: an outcome is not true or false")
    return [Fraction(outcome) for outcome in outcomes]


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
            yield Published(f"latest:{text(name)}", Fraction(str(stated)) / 100, 4)


def _category(test: Mapping[str, Any]) -> str:
    category = test.get("category")
    return text(category[0]) if isinstance(category, list) and category else ""


def _finished(report: Mapping[str, Any]) -> datetime | None:
    """`2023-07-31-19:48` in early reports, ISO 8601 in later ones."""
    stated = text(report.get("completion_time"))
    if len(stated) == 16 and stated[10] == "-":
        stated = f"{stated[:10]}T{stated[11:]}"
    return moment(stated)
