"""JUnit XML: test suites and cases. A case with `failure` failed, with `error` or `skipped` it has
no outcome; a suite's own counts must be those of its cases.

Read by the streaming parser, with no document type declared: without one there are no entities to
expand (Python's documentation, "XML vulnerabilities").
"""

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
    moment,
    number,
    text,
)

NAME = "junit"
DEEPEST = 32
SIDE = {"failure", "error", "skipped"}


def recognises(files: Sequence[Member]) -> bool:
    """XML whose first element is a test suite."""
    return bool(files) and all(
        b"<testsuite" in member.data[:4096] and member.data.lstrip()[:1] == b"<" for member in files
    )


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
        )
    ]


@dataclass(slots=True)
class _Cases:
    """The cases found so far, and where in the document the reader is."""

    trials: list[ImportedTrial] = field(default_factory=list)
    name: str = ""
    made_at: datetime | None = None
    numbering: Numbering = field(default_factory=Numbering)
    _suites: list[str] = field(default_factory=list)
    _case: dict[str, str] | None = None
    _found: dict[str, str] = field(default_factory=dict)
    _depth: int = 0

    def read(self, member: Member) -> None:
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        try:
            parser.Parse(member.data, True)
        except expat.ExpatError as error:
            raise RunsMalformed(f"{member.name} is not XML: {error}") from error

    def _refuse(self, *_: object) -> None:
        raise RunsMalformed("a JUnit file declares no document type; remove the DOCTYPE")

    def _start(self, tag: str, given: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise RunsMalformed(f"nested deeper than {DEEPEST} elements")
        if tag == "testsuite":
            self._suites.append(text(given.get("name")))
            self.name = self.name or self._suites[-1]
            self.made_at = self.made_at or moment(given.get("timestamp"))
        elif tag == "testcase":
            self._case, self._found = given, {}
        elif tag in SIDE and self._case is not None:
            said = text(given.get("type")) or given.get("message")
            self._found[tag] = kind_of_error(said, tag) or tag

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if tag == "testsuite":
            self._suites.pop()
        elif tag == "testcase" and self._case is not None:
            self.trials.append(self._trial(self._case))
            self._case = None

    def _trial(self, case: dict[str, str]) -> ImportedTrial:
        task = "::".join(filter(None, [text(case.get("classname")), text(case.get("name"))]))
        null = self._found.get("error") or self._found.get("skipped")
        seconds = case.get("time", "").replace(",", "")
        return ImportedTrial(
            task=task or "unnamed",
            repeat=self.numbering.next(task),
            score=None if null else Fraction("failure" not in self._found),
            error=null or self._found.get("failure", ""),
            group=next(filter(None, reversed(self._suites)), ""),
            seconds=number(float(seconds)) if seconds.replace(".", "", 1).isdigit() else None,
        )
