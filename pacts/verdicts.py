"""Verdicts: once the last trial of an evaluation is in, its observations become one conclusion."""

from collections import defaultdict
from datetime import datetime
from operator import itemgetter
from typing import cast

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
from pacts.units import Outcome, Try, units
from reputation import evidence
from reputation.confidence import METHOD
from reputation.hints import hint

UNFINISHED = [Trial.State.QUEUED, Trial.State.RUNNING]


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
        tries = tries_of(evaluation)
        judged = [_judge(clause, tries[clause.key]) for clause in parsed.clauses]
        combined = statistics.combine(clauses=parsed.clauses, verdicts=judged)
        verdict = _store(evaluation, parsed, combined, now)
        _finish(evaluation, now)
        transaction.on_commit(lambda: hint("pacts.verdict_concluded"))
    return verdict


def tries_of(evaluation: Evaluation) -> dict[str, list[Try]]:
    """Every clause's observations in the order of the run; null trials appear as `null`."""
    keys = [clause["key"] for clause in evaluation.pact_version.terms["clauses"]]
    observed = Observation.objects.filter(trial__evaluation=evaluation).values_list(
        "trial__position", "trial__task_id", "clause", "outcome", "value"
    )
    nulls = Trial.objects.filter(evaluation=evaluation, state=Trial.State.NULL).values_list(
        "position", "task_id"
    )
    placed = [
        *(
            (place, key, Try(task=str(task), outcome="null"))
            for place, task in nulls
            for key in keys
        ),
        *(
            (place, key, Try(task=str(task), outcome=cast(Outcome, outcome), value=value))
            for place, task, key, outcome, value in observed
        ),
    ]
    tries: dict[str, list[Try]] = defaultdict(list)
    for _, key, one in sorted(placed, key=itemgetter(0)):
        tries[key].append(one)
    return tries


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


def _judge(clause: terms.Clause, tries: list[Try]) -> statistics.ClauseVerdict:
    found = units(clause=clause, tries=tries)
    return statistics.judge_clause(
        clause=clause,
        values=found.values,
        errors=found.errors,
        nulls=found.nulls,
        skipped=found.skipped,
        not_applicable=found.not_applicable,
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
