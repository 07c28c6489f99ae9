"""Verdicts: once the last trial of an evaluation is in, its observations become one conclusion."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Exists, Max, OuterRef

from pacts import statistics, terms
from pacts.evaluation import subjects_of
from pacts.models import (
    ClauseVerdict,
    Deliverable,
    Evaluation,
    Observation,
    Trial,
    Verdict,
)
from reputation import evidence
from reputation.confidence import METHOD, pass_hat_k
from reputation.hints import hint

UNFINISHED = [Trial.State.QUEUED, Trial.State.RUNNING]


class Seen(NamedTuple):
    """One observation of one clause, or `null` for a trial that counts for nobody."""

    task_id: int
    outcome: str
    value: float | None


@dataclass(slots=True)
class Units:
    """A clause's units in the order of the run, ready for `statistics.judge_clause`."""

    values: list[float] = field(default_factory=list)
    errors: int = 0
    nulls: int = 0
    skipped: int = 0
    not_applicable: int = 0

    def add(self, seen: Sequence[Seen], *, k: int | None) -> None:
        """Add one unit from the observations of its repeats; with `k`, by pass^k.

        A unit enters once, with its mean: repeats of one task are not independent evidence.
        """
        deciding = [one.value for one in seen if one.value is not None]
        if k is not None:
            value = pass_hat_k(trials=len(deciding), passes=sum(v >= 1 for v in deciding), k=k)
            if value is not None:
                self.values.append(value)
                return
        elif deciding:
            self.values.append(sum(deciding) / len(deciding))
            return
        self._add_undecided({one.outcome for one in seen})

    def _add_undecided(self, outcomes: set[str]) -> None:
        if "error" in outcomes:
            self.errors += 1
        elif "null" in outcomes:
            self.nulls += 1
        elif "skipped" in outcomes:
            self.skipped += 1
        else:
            self.not_applicable += 1


def units_of(clause: terms.Clause, seen: Iterable[Seen]) -> Units:
    """Group a clause's observations, in the order of the run, into one unit per task."""
    by_task: dict[int, list[Seen]] = defaultdict(list)
    for one in seen:
        by_task[one.task_id].append(one)
    units = Units()
    k = clause.repeats if clause.unit == "task" and clause.repeats > 1 else None
    for group in by_task.values():
        units.add(group, k=k)
    return units


def conclude(*, evaluation_id: str, now: datetime) -> Verdict | None:
    """Conclude an evaluation whose trials are all in, once. None while some are still out.

    After the evaluation's deadline the trials still out become null: the platform's fault.
    """
    with transaction.atomic():
        evaluation = (
            Evaluation.objects.select_for_update(of=("self",), no_key=True)
            .select_related("agent_version", "pact_version", "task_set_version")
            .get(pk=evaluation_id)
        )
        if evaluation.state != Evaluation.State.RUNNING:
            return None
        if now > evaluation.deadline_at:
            _give_up_trials(evaluation, now)
        if Trial.objects.filter(evaluation=evaluation, state__in=UNFINISHED).exists():
            return None
        parsed = terms.parse(evaluation.pact_version.terms)
        seen = observations_of(evaluation)
        judged = [_judge(clause, seen[clause.key]) for clause in parsed.clauses]
        combined = statistics.combine(clauses=parsed.clauses, verdicts=judged)
        verdict = _store(evaluation, parsed, combined, now)
        _finish(evaluation, now)
        transaction.on_commit(lambda: hint("settlement.tasks.sweep_settlements"))
    return verdict


def observations_of(evaluation: Evaluation) -> dict[str, list[Seen]]:
    """Every clause's observations in the order of the run; null trials appear as `null`."""
    seen: dict[str, list[Seen]] = defaultdict(list)
    keys = [clause["key"] for clause in evaluation.pact_version.terms["clauses"]]
    rows = (
        Observation.objects.filter(trial__evaluation=evaluation)
        .order_by("trial__position", "id")
        .values_list("trial__position", "trial__task_id", "clause", "outcome", "value")
    )
    nulls = Trial.objects.filter(evaluation=evaluation, state=Trial.State.NULL).values_list(
        "position", "task_id"
    )
    placed = [(position, key, Seen(task, "null", None)) for position, task in nulls for key in keys]
    placed += [(position, key, Seen(task, out, val)) for position, task, key, out, val in rows]
    for _, key, one in sorted(placed, key=lambda item: item[0]):
        seen[key].append(one)
    return seen


def due(*, now: datetime, limit: int = 100) -> list[str]:
    """Running evaluations that can be concluded: all trials in, or past their deadline."""
    out = Trial.objects.filter(evaluation=OuterRef("pk"), state__in=UNFINISHED)
    running = Evaluation.objects.filter(state=Evaluation.State.RUNNING)
    complete = running.filter(~Exists(out)).values_list("id", flat=True)[:limit]
    late = running.filter(deadline_at__lt=now).values_list("id", flat=True)[:limit]
    return sorted({*complete, *late})


def _give_up_trials(evaluation: Evaluation, now: datetime) -> None:
    Trial.objects.filter(evaluation=evaluation, state__in=UNFINISHED).update(
        state=Trial.State.NULL,
        fault=Trial.Fault.PLATFORM,
        error_code="evaluation_window_over",
        lease_expires_at=None,
        finished_at=now,
    )


def _judge(clause: terms.Clause, seen: list[Seen]) -> statistics.ClauseVerdict:
    units = units_of(clause, seen)
    return statistics.judge_clause(
        clause=clause,
        values=units.values,
        errors=units.errors,
        nulls=units.nulls,
        skipped=units.skipped,
        not_applicable=units.not_applicable,
    )


def _store(
    evaluation: Evaluation,
    parsed: terms.PactTerms,
    combined: statistics.CombinedVerdict,
    now: datetime,
) -> Verdict:
    verdict = Verdict(
        evaluation=evaluation,
        outcome=combined.status,
        earned_share_bps=combined.earned_share_bps,
        undetermined_rule=combined.rule or "",
        method=METHOD,
        concluded_at=now,
    )
    verdict.evidence_id = _log(evaluation, parsed, combined, verdict, now)
    verdict.save(force_insert=True)
    ClauseVerdict.objects.bulk_create(
        [
            _row(verdict, position, clause, judged)
            for position, (clause, judged) in enumerate(
                zip(parsed.clauses, combined.clauses, strict=True)
            )
        ]
    )
    return verdict


def _row(
    verdict: Verdict, position: int, clause: terms.Clause, judged: statistics.ClauseVerdict
) -> ClauseVerdict:
    return ClauseVerdict(
        verdict=verdict,
        position=position,
        key=clause.key,
        title=clause.title,
        dimension=clause.dimension,
        outcome=judged.status,
        critical=clause.critical,
        weight_bps=clause.weight_bps,
        promise_bps=clause.promise_bps,
        floor_bps=clause.floor_bps,
        unit=clause.unit,
        passes=judged.counts.passes,
        failures=judged.counts.failures,
        errors=judged.counts.errors,
        nulls=judged.counts.nulls,
        skipped=judged.counts.skipped + judged.counts.not_applicable,
        estimate=judged.estimate,
        low=judged.low,
        high=judged.high,
        ln_e_met=judged.ln_e_met,
        ln_e_breach=judged.ln_e_breach,
        first_crossing=judged.first_crossing,
        marginal=judged.marginal,
        reason=judged.reason[:400],
    )


def _log(
    evaluation: Evaluation,
    parsed: terms.PactTerms,
    combined: statistics.CombinedVerdict,
    verdict: Verdict,
    now: datetime,
) -> str:
    return evidence.append(
        kind="evaluation.concluded",
        subjects=subjects_of(evaluation) | {"verdict": verdict.id},
        facts={
            "outcome": combined.status,
            "earned_share_bps": combined.earned_share_bps,
            "method": METHOD,
            "independence": evaluation.independence,
            "trials": evaluation.trials_total,
            "clauses": [
                _clause_fact(clause, judged)
                for clause, judged in zip(parsed.clauses, combined.clauses, strict=True)
            ],
        },
        digests={"terms": evaluation.pact_version.digest},
        at=now,
        dedupe_key=f"evaluation.concluded:{evaluation.id}",
    ).id


def _clause_fact(clause: terms.Clause, judged: statistics.ClauseVerdict) -> dict[str, object]:
    """Whole units for the log: a part of a pass is rounded down, never in the agent's favour."""
    passes = int(judged.counts.passes)
    return {
        "key": clause.key,
        "dimension": clause.dimension,
        "check": clause.check,
        "critical": clause.critical,
        "outcome": judged.status,
        "passes": passes,
        "failures": judged.counts.units - passes,
        "errors": judged.counts.errors,
        "nulls": judged.counts.nulls,
        "promise_bps": clause.promise_bps,
        "floor_bps": clause.floor_bps,
        "method": judged.method,
    }


def _finish(evaluation: Evaluation, now: datetime) -> None:
    evaluation.state = Evaluation.State.CONCLUDED
    evaluation.concluded_at = now
    evaluation.save(update_fields=["state", "concluded_at"])
    if evaluation.deliverable_id:
        last = Trial.objects.filter(evaluation=evaluation).aggregate(at=Max("finished_at"))["at"]
        Deliverable.objects.filter(pk=evaluation.deliverable_id).update(delivered_at=last or now)
