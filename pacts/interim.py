"""Where a run stands before its verdict: the verdict's own arithmetic over what is in so far.

The intervals hold at every look (`pacts.statistics`), so looking early costs nothing. A task that
is not tried to its end yet is in no count.
"""

from django.db import transaction

from pacts import terms
from pacts.conclusions import CombinedVerdict
from pacts.judging import Reckoning
from pacts.models import Evaluation
from pacts.observed import sessions_of, tasks_of


def look(evaluation: Evaluation) -> CombinedVerdict:
    """Every clause over the trials that are finished; the verdict, were it to end now."""
    parsed = terms.parse(evaluation.pact_version.terms)
    counted = any(clause.unit == "session" for clause in parsed.clauses)
    reckoning = Reckoning(parsed.clauses, sessions=sessions_of(evaluation) if counted else None)
    with transaction.atomic():
        for tries in tasks_of(evaluation):
            reckoning.add(tries)
    return reckoning.verdict()
