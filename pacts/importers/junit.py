"""JUnit XML: test suites and cases. A case with `failure` failed, with `error` or `skipped` it has
no outcome. A case that was run again (Surefire's `flakyFailure`, `rerunFailure` and their errors)
is as many trials as it had runs. What a suite counts of itself is held against its cases.

Read by the streaming parser, with no document type declared: without one there are no entities to
expand (Python's documentation, "XML vulnerabilities").
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from xml.parsers import expat

from pacts.importers.files import Member
from pacts.importers.run import (
    ImportedRun,
    ImportedTrial,
    Numbering,
    RunsMalformed,
    kind_of_error,
    label,
    moment,
    number,
    text,
)

NAME = "junit"
DEEPEST = 32
MOST_WRONG = 20
SIDE = {"failure", "error", "skipped"}
FLAKY, RERUN = ("flakyFailure", "flakyError"), ("rerunFailure", "rerunError")
COUNTED = ("tests", "failures", "errors", "skipped")
FIRST = re.compile(r"<(?:\w+:)?testsuites?[\s>/]")


def select(files: Sequence[Member]) -> list[Member]:
    """XML in whose beginning a test suite opens."""
    return [m for m in files if m.start()[:1] == "<" and FIRST.search(m.start())]


def read(files: Sequence[Member]) -> list[ImportedRun]:
    """One run of all files together. Raises RunsMalformed."""
    cases = _Cases()
    for member in files:
        cases.read(member)
    if not cases.trials:
        raise RunsMalformed("there is no test case in the file")
    return [
        ImportedRun(
            format=NAME,
            benchmark=cases.name or files[0].stem,
            agent=files[0].stem,
            made_at=cases.made_at,
            trials=cases.trials,
            wrong=cases.wrong[:MOST_WRONG],
        )
    ]


@dataclass(slots=True)
class _Suite:
    """A suite that is open: what it states, and its own and all its cases so far."""

    name: str
    given: dict[str, str]
    own: Counter[str] = field(default_factory=Counter)
    all: Counter[str] = field(default_factory=Counter)

    def contradictions(self) -> list[str]:
        """Harnesses count the cases of inner suites, or do not: either is right."""
        return [
            f"the suite {self.name or 'without a name'} states {stated} {count}, "
            f"its cases show {self.all[count]}"
            for count in COUNTED
            if (stated := self.given.get(count, "")).isdecimal()
            and int(stated[:9]) not in (self.own[count], self.all[count])
        ]


@dataclass(slots=True)
class _Cases:
    """The cases found so far, and where in the document the reader is."""

    trials: list[ImportedTrial] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    name: str = ""
    made_at: datetime | None = None
    numbering: Numbering = field(default_factory=Numbering)
    _suites: list[_Suite] = field(default_factory=list)
    _case: dict[str, str] | None = None
    _found: dict[str, str] = field(default_factory=dict)
    _again: list[tuple[str, str]] = field(default_factory=list)
    _depth: int = 0

    def read(self, member: Member) -> None:
        self._suites, self._case, self._depth = [], None, 0
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        try:
            with member.open() as stream:
                parser.ParseFile(stream)
        except expat.ExpatError as error:
            raise RunsMalformed(f"{member.name} is not XML: {error}") from error

    def _refuse(self, *_: object) -> None:
        raise RunsMalformed("a JUnit file declares no document type; remove the DOCTYPE")

    def _start(self, tag: str, given: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        self._depth += 1
        if self._depth > DEEPEST:
            raise RunsMalformed(f"nested deeper than {DEEPEST} elements")
        if tag in ("testsuite", "testsuites"):
            self._suites.append(_Suite(text(given.get("name")), given))
            self.name = self.name or self._suites[-1].name
            self.made_at = self.made_at or moment(given.get("timestamp"))
        elif tag == "testcase":
            self._case, self._found, self._again = given, {}, []
        elif self._case is not None and tag in SIDE:
            self._found[tag] = _kind(given, tag)
        elif self._case is not None and tag in (*FLAKY, *RERUN):
            self._again.append((tag, _kind(given, tag)))

    def _end(self, tag: str) -> None:
        tag = tag.rpartition(":")[2]
        self._depth -= 1
        if tag in ("testsuite", "testsuites"):
            closed = self._suites.pop()
            self.wrong += closed.contradictions()
            if self._suites:
                self._suites[-1].all += closed.all
        elif tag == "testcase" and self._case is not None:
            self._close(self._case)
            self._case = None

    def _close(self, case: dict[str, str]) -> None:
        """The trials of a case: those before it passed at last, itself, those after it failed."""
        counted = ["tests", *self._counts(case)]
        for suite in self._suites[-1:]:
            suite.own.update(counted)
            suite.all.update(counted)
        before = [(tag, said) for tag, said in self._again if tag in FLAKY]
        after = [(tag, said) for tag, said in self._again if tag in RERUN]
        for tag, said in before:
            self.trials.append(self._trial(case, tag.endswith("Error"), said))
        null = self._found.get("error") or self._found.get("skipped") or _not_run(case)
        self.trials.append(self._trial(case, bool(null), null or self._found.get("failure", "")))
        for tag, said in after:
            self.trials.append(self._trial(case, tag.endswith("Error"), said))

    def _counts(self, case: dict[str, str]) -> list[str]:
        kinds = {"failure": "failures", "error": "errors", "skipped": "skipped"}
        return [counted for tag, counted in kinds.items() if tag in self._found]

    def _trial(self, case: dict[str, str], null: bool, error: str) -> ImportedTrial:
        names = [text(case.get(part), 20_000) for part in ("classname", "name")]
        task = label("::".join(filter(None, names)))
        return ImportedTrial(
            task=task or "unnamed",
            repeat=self.numbering.next(task),
            score=None if null else Fraction(not error),
            error=error,
            group=next((suite.name for suite in reversed(self._suites) if suite.name), ""),
            seconds=_seconds(case.get("time", "")),
        )


def _kind(given: dict[str, str], tag: str) -> str:
    """A type, or the exception a message names."""
    return kind_of_error(text(given.get("type")) or given.get("message"), tag) or tag


def _not_run(case: dict[str, str]) -> str:
    """GoogleTest's cases that were disabled or filtered out."""
    return "not run" if case.get("status") == "notrun" else ""


def _seconds(stated: str) -> float | None:
    try:
        return number(float(stated.replace(",", ""))) if len(stated) <= 40 else None
    except ValueError:
        return None
