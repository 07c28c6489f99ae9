"""What the roof does by the clock. Rows are the truth; a hint lost or doubled changes nothing."""

from celery import shared_task

from marketplace.api import idempotency
from reputation.clock import database_now

SCHEDULE = {
    "forget-replays": {"task": "marketplace.tasks.forget_replays", "schedule": 3600.0},
}


@shared_task
def forget_replays() -> None:
    """Delete answers that nobody repeats any more."""
    idempotency.forget_old(now=database_now())
