"""Raw inputs and answers erased when the party whose run it was asks for it; digests stay.

A body is kept once however many trials brought it, so one that another party's run refers to is
theirs as well and stays. Observations and verdicts stand; the answers can no longer be checked
again, which a bundle then says.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from pacts.evaluation import EvaluationRefused
from pacts.models import Evaluation, Party
from reputation import evidence


@dataclass(frozen=True, slots=True)
class Erased:
    """How many bodies are gone, and how many stayed because another party's run holds them too."""

    artifacts: int
    kept: int


def erase_answers(*, evaluation: Evaluation, by: Party, reason: str, now: datetime) -> Erased:
    """Erase the raw bodies of a run that is over. `reason` is a token such as
    `data_subject_request`. Raises EvaluationRefused for a run that goes on, or is not theirs."""
    if evaluation.requested_by_id != by.pk:
        raise EvaluationRefused("only the party that asked for a run erases what it kept")
    if not evaluation.is_over:
        raise EvaluationRefused("this run is not over yet; erase what it kept afterwards")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ERASE, {"evaluation": evaluation.pk, "party": by.pk, "now": now})
        artifacts, kept = cursor.fetchone()
        evidence.append(
            kind="artifacts.erased",
            subjects={"evaluation": evaluation.pk, "party": by.pk},
            facts={"reason": reason, "artifacts": artifacts, "kept": kept},
            at=now,
        )
    return Erased(artifacts, kept)


_ERASE = """
WITH own AS (
    SELECT input_digest AS digest FROM pacts_trial WHERE evaluation_id = %(evaluation)s
    UNION SELECT output_digest FROM pacts_trial WHERE evaluation_id = %(evaluation)s
), shared AS (
    SELECT d.digest FROM pacts_trial t
      JOIN pacts_evaluation e ON e.id = t.evaluation_id AND e.requested_by_id <> %(party)s
      CROSS JOIN LATERAL (VALUES (t.input_digest), (t.output_digest)) AS d (digest)
      JOIN own ON own.digest = d.digest
), gone AS (
    UPDATE pacts_artifact a SET body = NULL, erased_at = %(now)s
      FROM own
     WHERE a.digest = own.digest AND a.body IS NOT NULL
       AND NOT EXISTS (SELECT FROM shared WHERE shared.digest = own.digest)
 RETURNING a.digest
)
SELECT (SELECT count(*) FROM gone),
       (SELECT count(DISTINCT s.digest) FROM shared s
          JOIN pacts_artifact a ON a.digest = s.digest AND a.body IS NOT NULL)
"""
