"""Verdicts: once the last trial of an evaluation is in, its observations become one conclusion."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet

from pacts import canaries, conclusions, panels, statistics, stopping, terms, trials
from pacts.evaluation import subjects_of
from pacts.judging import Reckoning
from pacts.models import (
    ClauseVerdict,
    Deliverable,
    Evaluation,
    Trial,
    Verdict,
)
from pacts.observed import sessions_of, tasks_of
from reputation import evidence
from reputation.confidence import METHOD
from reputation.hints import hint

WAITING = Evaluation.State.WAITING
UNFINISHED = [Trial.State.QUEUED, Trial.State.RUNNING]


def conclude(*, evaluation_id: str, now: datetime) -> Verdict | None:
    """Conclude an evaluation whose trials are all in, once. None while some are still out.

    After the evaluation's deadline the trials still out become null: the platform's fault. A run
    that was cut off because it is decided is looked at as a whole: if a late answer undid that, it
    goes on, otherwise the trials never tried are skipped.
    """
    with transaction.atomic():
        evaluation = (
            Evaluation.objects.select_for_update(of=("self",), no_key=True)
            .select_related("agent_version", "pact_version", "task_set_version")
            .get(pk=evaluation_id)
        )
        if evaluation.is_over or (evaluation.state == WAITING and now <= evaluation.deadline_at):
            return None
        if now > evaluation.deadline_at:
            _give_up_trials(evaluation, now)
        if _still_out(evaluation).exists():
            return None
        parsed = terms.parse(evaluation.pact_version.terms)
        if not panels.ready(evaluation, parsed.clauses, now=now):
            return None
        reckoning = _reckoning(evaluation, parsed)
        if evaluation.stop_after is not None and not _end_here(evaluation, reckoning):
            return None
        verdict = _store(evaluation, parsed, reckoning.verdict(), now)
        _finish(evaluation, now)
        transaction.on_commit(lambda: hint("pacts.verdict_concluded"))
    return verdict


def _still_out(evaluation: Evaluation) -> QuerySet[Trial]:
    out = Trial.objects.filter(evaluation=evaluation, state__in=UNFINISHED)
    if evaluation.stop_after is None:
        return out
    return out.filter(position__lte=evaluation.stop_after)


def _reckoning(evaluation: Evaluation, parsed: terms.PactTerms) -> Reckoning:
    counted = any(clause.unit == "session" for clause in parsed.clauses)
    reckoning = Reckoning(parsed.clauses, sessions=sessions_of(evaluation) if counted else None)
    for tries in tasks_of(evaluation, last=evaluation.stop_after):
        reckoning.add(tries)
    return reckoning


def _end_here(evaluation: Evaluation, reckoning: Reckoning) -> bool:
    """Skip what was never tried, if the run is still decided; otherwise open the queue again."""
    assert evaluation.stop_after is not None
    rest = Trial.objects.filter(evaluation=evaluation, position__gt=evaluation.stop_after)
    if not rest.filter(state__in=UNFINISHED).exists():
        return True
    if not reckoning.decided:
        stopping.go_on(evaluation)
        transaction.on_commit(lambda: trials.nudge(evaluation))
        return False
    trials.skip_after(evaluation, position=evaluation.stop_after, why=Evaluation.Stop.LATCHED.value)
    evaluation.stopped_by = Evaluation.Stop.LATCHED
    return True


def due(*, now: datetime, limit: int = 100) -> list[str]:
    """Evaluations that can be concluded: all trials in, or past their deadline, begun or not."""
    wanted = Q(evaluation__stop_after=None) | Q(position__lte=F("evaluation__stop_after"))
    out = Trial.objects.filter(wanted, evaluation=OuterRef("pk"), state__in=UNFINISHED)
    running = Evaluation.objects.filter(state=Evaluation.State.RUNNING)
    complete = running.filter(~Exists(out)).values_list("id", flat=True)[:limit]
    late = running.filter(deadline_at__lt=now).values_list("id", flat=True)[:limit]
    never_begun = Evaluation.objects.filter(state=WAITING, deadline_at__lt=now)
    return sorted({*complete, *late, *never_begun.values_list("id", flat=True)[:limit]})


def _give_up_trials(evaluation: Evaluation, now: datetime) -> None:
    """A trial that is just being recorded is left alone: its runner may wait for our lock."""
    begun = evaluation.state != WAITING
    out = Trial.objects.filter(evaluation=evaluation, state__in=UNFINISHED)
    free = out.select_for_update(skip_locked=True).values_list("pk", flat=True)
    Trial.objects.filter(pk__in=list(free)).update(
        state=Trial.State.NULL,
        fault=Trial.Fault.PLATFORM if begun else Trial.Fault.EVALUATOR,
        error_code="evaluation_window_over" if begun else "never_begun",
        lease_expires_at=None,
        finished_at=now,
    )


def _store(
    evaluation: Evaluation,
    parsed: terms.PactTerms,
    combined: conclusions.CombinedVerdict,
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
    combined: conclusions.CombinedVerdict,
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
            **_stopped(evaluation),
            **(canaries.compare(evaluation).facts() if canaries.is_blind(evaluation) else {}),
            "clauses": [
                _clause_fact(clause, judged)
                for clause, judged in zip(parsed.clauses, combined.clauses, strict=True)
            ],
        },
        digests={"terms": evaluation.pact_version.digest},
        at=now,
        dedupe_key=f"evaluation.concluded:{evaluation.id}",
    ).id


def _stopped(evaluation: Evaluation) -> dict[str, object]:
    """What the log says of trials that were never made, where there are any."""
    skipped = Trial.objects.filter(evaluation=evaluation, state=Trial.State.SKIPPED).count()
    if not skipped:
        return {}
    return {"skipped": skipped, "reason": evaluation.stopped_by or Evaluation.Stop.CANCELLED.value}


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
    evaluation.save(update_fields=["state", "concluded_at", "stopped_by"])
    if evaluation.deliverable_id:
        last = Trial.objects.filter(evaluation=evaluation).aggregate(at=Max("finished_at"))["at"]
        Deliverable.objects.filter(pk=evaluation.deliverable_id).update(delivered_at=last or now)
