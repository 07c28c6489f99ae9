"""An exported run checked again offline: every check and every statistic, byte for byte.

The document is made again from what was asked and what came back: digests, variants, what the
checks say of each kept answer, the verdict. It verifies when the bytes are the same. What cannot be
made again is taken as recorded and named: answers that were erased, clauses decided by a jury or by
people, and checks this installation knows only in another version.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from pacts.agents import PROTOCOLS
from pacts.checks import CHECKS
from pacts.conclusions import CombinedVerdict
from pacts.examination import examine
from pacts.judging import TaskTries, judge
from pacts.plans import plan_for
from pacts.statistics import ClauseVerdict
from pacts.stored import StoredAnswer
from pacts.strict_json import MalformedJson, parse_json
from pacts.terms import Clause, PactTerms, TermsError, digest, parse
from pacts.tries import Try
from pacts.variants import Subject, VariantPlan, VariantUnknown
from reputation.canonical import NotCanonical, canonical, sha256
from reputation.confidence import METHOD

FORMAT = "earnest-evaluation/1"
MOST_BYTES = 500_000_000
MOST_SHOWN = 20

Json = dict[str, Any]


class NotABundle(ValueError):
    """The file is no bundle that this installation can read; the message says why."""


@dataclass(slots=True)
class Verification:
    """What was found: what differs (empty: it verifies), and what was taken as recorded."""

    differences: list[str] = field(default_factory=list)
    as_recorded: list[str] = field(default_factory=list)
    trials: int = 0
    observations: int = 0

    @property
    def holds(self) -> bool:
        return not self.differences


def verify(data: bytes) -> Verification:
    """Check a bundle again. Raises NotABundle."""
    document = _read(data)
    try:
        return _Again(document).verification(data)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise NotABundle(f"a member is missing or is not what it must be: {error}") from error
    except (TermsError, VariantUnknown, NotCanonical) as error:
        raise NotABundle(str(error)) from error


def _read(data: bytes) -> Json:
    if len(data) > MOST_BYTES:
        raise NotABundle(f"the file has {len(data)} bytes; at most {MOST_BYTES} are read")
    try:
        document = parse_json(data)
    except MalformedJson as error:
        raise NotABundle(f"the file is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise NotABundle(f"this is no bundle of the format {FORMAT}")
    return document


class _Again:
    """One bundle, and what its parts come to when they are made again."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self.parsed: PactTerms = parse(document["terms"])
        self.plan: VariantPlan = plan_for(self.parsed.clauses)
        self.tasks: Mapping[int, Json] = {task["position"]: task for task in document["tasks"]}
        self.found = Verification()
        self.unknown: set[str] = set()

    def verification(self, data: bytes) -> Verification:
        document = self.document
        trials = [self._trial(trial) for trial in document["trials"]]
        again = {
            **document,
            "terms_digest": digest(self.parsed),
            "trials": trials,
            "verdict": self._verdict(trials),
        }
        for name in ("terms_digest", "verdict"):
            self._compare(name, document[name], again[name])
        if canonical(again) != data and self.found.holds:
            self.found.differences.append("the file is not in canonical form (RFC 8785)")
        self.found.as_recorded += sorted(self.unknown)
        return self.found

    def _compare(self, where: str, recorded: Any, made: Any) -> None:
        if canonical(recorded) == canonical(made):
            return
        if isinstance(recorded, dict) and isinstance(made, dict):
            for key in sorted({*recorded, *made}):
                self._compare(f"{where}.{key}", recorded.get(key), made.get(key))
        elif isinstance(recorded, list) and isinstance(made, list) and len(recorded) == len(made):
            for place, (one, two) in enumerate(zip(recorded, made, strict=True)):
                self._compare(f"{where}[{place}]", one, two)
        else:
            self.found.differences.append(f"{where}: recorded {recorded!r}, found {made!r}"[:300])

    def _trial(self, trial: Json) -> Json:
        self.found.trials += 1
        if trial["state"] != "done":
            return self._untried(trial)
        body = _body(trial["output"])
        made = {**trial, **self._digests(trial, body)}
        if trial["output"] is None and trial["output_digest"] and trial["fault"] == "none":
            self.unknown.add("answers that were erased or never kept")
        else:
            made["observations"] = self._observations(trial, body)
        where = f"trial {trial['position']}"
        for name in ("input_digest", "output_digest", "observations"):
            self._compare(f"{where}: {name}", trial[name], made[name])
        if trial["fault"] not in ("none", "agent"):
            self.found.differences.append(f"{where}: done, but the fault is {trial['fault']}'s")
        return made

    def _untried(self, trial: Json) -> Json:
        """A trial that nobody answers for: it says so, and no check says anything of it."""
        where = f"trial {trial['position']}"
        faults = {"null": ("platform", "buyer"), "skipped": ("none", "platform", "buyer", "agent")}
        if trial["fault"] not in faults.get(trial["state"], ()):
            said = f"{where}: {trial['state']} does not go with the fault {trial['fault']}"
            self.found.differences.append(said)
        self._compare(f"{where}: observations", trial["observations"], [])
        return {**trial, "observations": []}

    def _digests(self, trial: Json, body: bytes | None) -> Json:
        asked = self.plan.asked(
            self._subject(trial), variant=trial["variant"], seed=self.document["evaluation"]["seed"]
        )
        made: Json = {"input_digest": sha256(canonical(asked.input))}
        if body is not None:
            made["output_digest"] = sha256(body) if body else ""
        return made

    def _subject(self, trial: Json) -> Subject:
        task = self.tasks[trial["task"]]
        return Subject(
            position=task["position"],
            input=task["input"],
            expected=task["expected"],
            paraphrases=task["paraphrases"],
        )

    def _observations(self, trial: Json, body: bytes | None) -> list[Json]:
        """What the checks say now; what they cannot say offline stays as recorded."""
        agent, task = self.document["agent"], self.tasks[trial["task"]]
        adapter = PROTOCOLS.get(agent["protocol"])
        if adapter is None:
            raise NotABundle(f"the agent speaks {agent['protocol']}, which is unknown here")
        stored = StoredAnswer(
            fault=trial["fault"],
            error_code=trial["error_code"],
            error_message=trial["error_message"],
            latency_us=trial["latency_us"],
            body=body,
        )
        asked = self.plan.asked(
            self._subject(trial), variant=trial["variant"], seed=self.document["evaluation"]["seed"]
        )
        answers = dict(
            examine(
                clauses=self._looking(trial["variant"]),
                input=asked.input,
                expected=task["expected"],
                in_scope=task["in_scope"],
                reply=stored.reply(adapter, agent["declared"]),
                attack=asked.attack,
            )
        )
        recorded = {one["clause"]: one for one in trial["observations"]}
        return [
            observation
            for clause in self.parsed.clauses
            if (observation := self._one(clause, answers.get(clause.key), recorded)) is not None
        ]

    def _one(self, clause: Clause, answer: Any, recorded: Mapping[str, Json]) -> Json | None:
        was = recorded.get(clause.key)
        if answer is None:
            if was is not None:
                self.unknown.add(f"{clause.key}: decided by a jury or by people")
            return was
        if was is not None and was["version"] != answer.version:
            self.unknown.add(
                f"{clause.key}: recorded by {clause.check}/{was['version']}, here is "
                f"{CHECKS[clause.check].version}"
            )
            return was
        self.found.observations += 1
        return {
            "clause": clause.key,
            "check": answer.check,
            "version": answer.version,
            "outcome": answer.outcome,
            "value": answer.value,
            "reason": answer.reason.replace("\x00", " "),
        }

    def _looking(self, variant: str) -> Sequence[Clause]:
        return [one for one in self.parsed.clauses if self.plan.sees(one.key, variant)]

    def _verdict(self, trials: Sequence[Json]) -> Json:
        sessions = {
            str(position): task["session"]
            for position, task in self.tasks.items()
            if task["session"]
        }
        combined = judge(self.parsed.clauses, _tries(trials, self.parsed), sessions=sessions)
        return verdict_json(combined)


def _body(output: Json | None) -> bytes | None:
    if output is None:
        return None
    if "text" in output:
        return str(output["text"]).encode()
    try:
        return base64.b64decode(output["base64"], validate=True)
    except binascii.Error as error:
        raise NotABundle(f"an answer is not base64: {error}") from error


def _tries(trials: Sequence[Json], parsed: PactTerms) -> Iterator[TaskTries]:
    """Tasks in the order of their last tries, as `pacts.observed` reads them."""
    last = {trial["task"]: trial["position"] for trial in trials}
    ordered = sorted(trials, key=lambda trial: (last[trial["task"]], trial["position"]))
    keys = [clause.key for clause in parsed.clauses]
    for task, group in groupby(ordered, key=lambda trial: trial["task"]):
        tries: dict[str, list[Try]] = {key: [] for key in keys}
        for trial in group:
            unobserved = {"null": "null", "skipped": "stopped"}.get(trial["state"])
            if unobserved:
                for key in keys:
                    one = Try(task=str(task), outcome=unobserved, variant=trial["variant"])  # type: ignore[arg-type]
                    tries[key].append(one)
            for seen in trial["observations"]:
                tries[seen["clause"]].append(
                    Try(
                        task=str(task),
                        outcome=seen["outcome"],
                        value=seen["value"],
                        variant=trial["variant"],
                    )
                )
        yield tries


def verdict_json(combined: CombinedVerdict) -> Json:
    """A verdict as a bundle holds it."""
    return {
        "outcome": combined.status,
        "earned_share_bps": combined.earned_share_bps,
        "undetermined_rule": combined.rule or "",
        "method": METHOD,
        "clauses": [_clause_json(one) for one in combined.clauses],
    }


def _clause_json(one: ClauseVerdict) -> Json:
    return {
        "key": one.key,
        "outcome": one.status,
        "passes": one.counts.passes,
        "failures": one.counts.failures,
        "errors": one.counts.errors,
        "nulls": one.counts.nulls,
        "skipped": one.counts.skipped + one.counts.not_applicable,
        "estimate": one.estimate,
        "low": one.low,
        "high": one.high,
        "ln_e_met": one.ln_e_met,
        "ln_e_breach": one.ln_e_breach,
        "first_crossing": one.first_crossing,
        "marginal": one.marginal,
        "reason": one.reason[:400],
    }
