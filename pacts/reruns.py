"""The checks as they are now, over the raw answers of a run that is over; no agent is called.

A check that was wrong is corrected as a new version of it. The new run points at the old one,
which stays as it is, and decides no money by itself: what a party makes of it, it says in a
dispute.
"""

from datetime import datetime

from django.db import connection, transaction

from pacts import trials
from pacts.evaluation import EvaluationRefused, default_deadline, subjects_of
from pacts.models import Evaluation, Party
from reputation import evidence


def rerun_evaluation(*, original: Evaluation, requested_by: Party, now: datetime) -> Evaluation:
    """Queue every trial of the original that has an answer; the others are taken over as they are.

    Raises EvaluationRefused while the original still runs.
    """
    if not original.is_over:
        raise EvaluationRefused("this run is not over yet; its answers can be checked again then")
    with transaction.atomic():
        again = Evaluation.objects.create(
            purpose=Evaluation.Purpose.RERUN,
            independence=original.independence,
            requested_by=requested_by,
            agent_version=original.agent_version,
            pact_version=original.pact_version,
            task_set_version=original.task_set_version,
            repeats=original.repeats,
            seed=original.seed,
            rerun_of=original,
            trials_total=0,
            started_at=now,
            deadline_at=default_deadline(now),
        )
        again.trials_total = _take_over(again)
        again.save(update_fields=["trials_total"])
        if not again.trials.filter(state="queued").exists():
            raise EvaluationRefused("no trial of this run has an answer to check again")
        _log(again, original, now)
        transaction.on_commit(lambda: trials.nudge(again))
    return again


def _take_over(again: Evaluation) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_COPY, {"again": again.pk, "original": again.rerun_of_id})
        return int(cursor.rowcount)


# Tasks the platform mixed in decide nothing, so there is nothing about them to check again.
_COPY = """
INSERT INTO pacts_trial (evaluation_id, task_id, position, repeat, variant, state, attempt, fault,
                         error_code, error_message, input_digest, output_digest, cost_micros,
                         finished_at)
SELECT %(again)s, t.task_id, t.position, t.repeat, t.variant,
       CASE t.state WHEN 'done' THEN 'queued' WHEN 'null' THEN 'null' ELSE 'skipped' END, 0,
       t.fault, t.error_code, t.error_message, t.input_digest, t.output_digest, 0,
       CASE WHEN t.state <> 'done' THEN now() END
  FROM pacts_trial t JOIN pacts_task k ON k.id = t.task_id
  JOIN pacts_evaluation e ON e.id = t.evaluation_id
 WHERE t.evaluation_id = %(original)s AND k.version_id = e.task_set_version_id
"""


def _log(again: Evaluation, original: Evaluation, now: datetime) -> None:
    verdict = getattr(original, "verdict", None)
    evidence.append(
        kind="evaluation.rerun",
        subjects=subjects_of(again),
        facts={"trials": again.trials_total}
        | ({"original_evidence": verdict.evidence_id} if verdict else {}),
        digests={"terms": again.pact_version.digest},
        at=now,
    )
