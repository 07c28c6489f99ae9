"""Hints to keep the log and the standings up to date. A lost or doubled hint changes nothing."""

from celery import shared_task

from reputation import checkpoints, scores, sequencer, standings
from reputation.clock import database_now
from reputation.hints import hint

BATCH = 1000
MOST_BATCHES = 50  # then the next hint goes on, so that no worker is held for long

SCHEDULE = {
    "sequence-evidence": {"task": "reputation.tasks.sequence_evidence", "schedule": 1.0},
    "sign-checkpoint": {"task": "reputation.tasks.sign_checkpoint", "schedule": 3.0},
    "refresh-scores": {"task": "reputation.tasks.refresh_scores", "schedule": 10.0},
    "update-standings": {"task": "reputation.tasks.update_standings", "schedule": 2.0},
}


@shared_task
def sequence_evidence() -> None:
    """Give every queued piece of evidence its place in the log."""
    for _ in range(MOST_BATCHES):
        if sequencer.sequence_batch(limit=BATCH) < BATCH:
            break
    checkpoints.sign_when_due(now=database_now())


@shared_task
def sign_checkpoint() -> None:
    """Sign the head of the log if it grew: every few seconds, well within ten."""
    checkpoints.sign_when_due(now=database_now())


@shared_task
def update_standings() -> None:
    """Fold what is new in the log into the standings."""
    for _ in range(MOST_BATCHES):
        read = standings.update_standings(limit=BATCH)
        if read:
            hint("reputation.standings_moved")
        if read < BATCH:
            return


@shared_task
def refresh_scores() -> None:
    """Score again what the turn of the hour has aged."""
    for _ in range(MOST_BATCHES):
        if not scores.refresh_due(now=database_now()):
            return
