"""What the workers do on this floor: claim rows, act, mark. A lost message costs only time."""

from celery import shared_task
from django.conf import settings

from pacts import (
    calls_checking,
    calls_kept,
    disputes,
    engagements,
    live_draws,
    live_hearings,
    live_sessions,
    live_windows,
    needs,
    negotiations,
    rehearsing,
    runner,
    trials,
    verdicts,
)
from pacts.judges import hearings
from pacts.judges.providers import installed
from pacts.models import Evaluation
from reputation.clock import database_now
from reputation.hints import hint

BATCHES_A_SHIFT = 20
SCHEDULE = {
    "hear-jurors": {"task": "pacts.tasks.resume_hearings", "schedule": 5.0},
    "resume-evaluations": {"task": "pacts.tasks.resume_evaluations", "schedule": 2.0},
    "resume-rehearsals": {"task": "pacts.tasks.resume_rehearsals", "schedule": 3.0},
    "check-calls": {"task": "pacts.tasks.check_calls", "schedule": 2.0},
    "close-hearings": {"task": "pacts.tasks.close_hearings", "schedule": 5.0},
    "close-windows": {"task": "pacts.tasks.close_windows", "schedule": 5.0},
    "forget-contents": {"task": "pacts.tasks.forget_contents", "schedule": 60.0},
    "move-disputes": {"task": "pacts.tasks.move_disputes", "schedule": 5.0},
    "lapse-offers": {"task": "pacts.tasks.lapse_offers", "schedule": 60.0},
    "open-sealed-offers": {"task": "pacts.tasks.open_sealed_offers", "schedule": 2.0},
}


@shared_task
def run_trials(evaluation_id: str) -> None:
    """One runner's shift on one evaluation; the last to finish asks for the verdict."""
    evaluation = Evaluation.objects.select_related("agent_version", "pact_version").get(
        pk=evaluation_id
    )
    if evaluation.state != Evaluation.State.RUNNING:
        return
    if runner.Runner(evaluation, runner.egress()).run():
        hint("pacts.tasks.run_trials", evaluation_id)
    else:
        hint("pacts.tasks.conclude_evaluation", evaluation_id)


@shared_task
def conclude_evaluation(evaluation_id: str) -> None:
    """The verdict, if every trial is in."""
    verdicts.conclude(evaluation_id=evaluation_id, now=database_now())


@shared_task
def resume_evaluations() -> None:
    """Find what lost messages forgot: lapsed leases, idle evaluations, verdicts that are due."""
    now = database_now()
    trials.requeue_lapsed(now=now)
    for evaluation in trials.idle(limit=50):
        trials.nudge(evaluation)
    for evaluation_id in verdicts.due(now=now):
        hint("pacts.tasks.conclude_evaluation", evaluation_id)


@shared_task
def open_sealed_offers() -> None:
    """Open what was offered on needs whose time is over, and close what nobody chose."""
    now = database_now()
    if needs.reveal_due(now=now) + needs.close_unchosen(now=now):
        hint("reputation.tasks.sequence_evidence")


@shared_task
def lapse_offers() -> None:
    """Close offers nobody signed or answered in time."""
    engagements.lapse_offers(now=database_now())
    negotiations.expire_due(now=database_now())


@shared_task
def move_disputes() -> None:
    """What the rule decides by itself, and what silence has done by now."""
    now = database_now()
    disputes.follow_due(now=now)
    disputes.advance_due(now=now)


@shared_task
def hear_jurors() -> None:
    """One shift of asking jurors; whoever was heard may now be concluded."""
    for heard in hearings.hear(installed(settings.JUDGE_PROVIDERS, runner.egress())):
        if heard.startswith("evl_"):
            hint("pacts.tasks.conclude_evaluation", heard)
        else:
            hint("pacts.tasks.close_hearings")


@shared_task
def resume_hearings() -> None:
    """Jurors that a lost message forgot."""
    if hearings.waiting(now=database_now()):
        hint("pacts.tasks.hear_jurors")


@shared_task
def check_calls() -> None:
    """One shift on the production calls that wait; hands over when there are more."""
    for _ in range(BATCHES_A_SHIFT):
        if not calls_checking.check_calls(now=database_now()):
            return
    hint("pacts.tasks.check_calls")


@shared_task
def close_hearings() -> None:
    """Production calls of which everybody has spoken that was asked, or whose time is over."""
    now = database_now()
    for stream_id in live_hearings.due(now=now):
        live_hearings.close_hearings(stream_id=stream_id, now=now)


@shared_task
def close_windows() -> None:
    """Sessions and windows whose time is over, and draws that nothing more comes to."""
    now = database_now()
    for stream_id in live_sessions.due(now=now):
        live_sessions.end_sessions(stream_id=stream_id, now=now)
    for stream_id in live_draws.due(now=now):
        live_draws.open_seed(stream_id=stream_id, now=now)
    for stream_id in live_windows.due(now=now):
        live_windows.close_windows(stream_id=stream_id, now=now)


@shared_task
def rehearse(rehearsal_id: str) -> None:
    """One shift on a builder's own run."""
    if rehearsing.rehearse(rehearsal_id=rehearsal_id, egress=runner.egress()):
        hint("pacts.tasks.rehearse", rehearsal_id)


@shared_task
def resume_rehearsals() -> None:
    """Find the runs that lost messages forgot."""
    for rehearsal_id in rehearsing.waiting(now=database_now(), limit=20):
        hint("pacts.tasks.rehearse", rehearsal_id)


@shared_task
def forget_contents() -> None:
    """What was said in calls, once its time is over."""
    calls_kept.forget_contents(now=database_now())
