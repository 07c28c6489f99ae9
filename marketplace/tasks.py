"""What the roof does by the clock. Rows are the truth; a hint lost or doubled changes nothing."""

from celery import shared_task
from django.conf import settings

from marketplace import cosigning, erasure, finding, oversight, screening
from marketplace.api import idempotency
from marketplace.exporting import packing
from marketplace.gaming import sightings
from marketplace.hooks import delivering
from marketplace.notices import mailing, telling
from marketplace.searches import saving, watching
from marketplace.searches import telling as searches_telling
from marketplace.shadows import replaying, running
from marketplace.tryouts import bringing
from pacts.runner import egress
from reputation import controlling
from reputation.clock import database_now
from reputation.hints import hint
from settlement.tasks import alone, look_at_meters

SCHEDULE = {
    "oversee-agents": {"task": "marketplace.tasks.oversee_agents", "schedule": 5.0},
    "record-overdue-reviews": {
        "task": "marketplace.tasks.record_overdue_reviews",
        "schedule": 60.0,
    },
    "ask-witnesses": {"task": "marketplace.tasks.ask_witnesses", "schedule": 3.0},
    "watch-for-gaming": {"task": "marketplace.tasks.watch_for_gaming", "schedule": 600.0},
    "tell-news": {"task": "marketplace.tasks.tell_news", "schedule": 1.0},
    "send-mails": {"task": "marketplace.tasks.send_mails", "schedule": 5.0},
    "deliver-hooks": {"task": "marketplace.tasks.deliver", "schedule": 2.0},
    "run-shadows": {"task": "marketplace.tasks.run_shadows", "schedule": 2.0},
    "run-replays": {"task": "marketplace.tasks.run_replays", "schedule": 5.0},
    "forget-replayed-answers": {
        "task": "marketplace.tasks.forget_replayed_answers",
        "schedule": 600.0,
    },
    "tell-searchers": {"task": "marketplace.tasks.tell_searchers", "schedule": 15.0},
    "forget-search-changes": {
        "task": "marketplace.tasks.forget_search_changes",
        "schedule": 3600.0,
    },
    "count-screenings": {"task": "marketplace.tasks.count_screenings", "schedule": 300.0},
    "follow-scores": {"task": "marketplace.tasks.follow_scores", "schedule": 60.0},
    "compare-scores": {"task": "marketplace.tasks.compare_scores", "schedule": 3600.0},
    "pack-archives": {"task": "marketplace.tasks.pack_archives", "schedule": 5.0},
    "forget-task-sheets": {"task": "marketplace.tasks.forget_task_sheets", "schedule": 3600.0},
    "forget-replays": {"task": "marketplace.tasks.forget_replays", "schedule": 3600.0},
    "erase-what-waited": {"task": "marketplace.tasks.erase_what_waited", "schedule": 3600.0},
}


@shared_task
def follow_scores() -> None:
    """Rank offers by what their standings are worth at this hour."""
    finding.follow_scores()


@shared_task
def compare_scores() -> None:
    """Look at every score once more, in case that nobody noted how one moved."""
    finding.compare_scores()


@shared_task
def tell_searchers() -> None:
    """Hold what changed on offer against the searches that people keep, and tell them."""
    with alone("marketplace.tell_searchers") as first:
        if first:
            now = database_now()
            watching.look(now=now)
            while searches_telling.tell(now=now) == searches_telling.AT_ONCE:
                continue


@shared_task
def forget_search_changes() -> None:
    """What was told of searches long ago goes."""
    saving.forget_old(now=database_now())


@shared_task
def count_screenings() -> None:
    """Hold benchmarks against pacts again, for pages that show it."""
    with alone("marketplace.count_screenings") as first:
        if first:
            screening.count_again(now=database_now())


@shared_task(time_limit=int(packing.LEASE.total_seconds()) - 60)
def pack_archives() -> None:
    """Pack the archive that waits longest, and delete those whose time is over."""
    packing.forget_expired(now=database_now())
    if packing.pack_next(now=database_now()):
        hint("marketplace.tasks.pack_archives")


@shared_task
def forget_task_sheets() -> None:
    """Forget tables that somebody brought and never mapped."""
    bringing.forget_old(now=database_now())


@shared_task
def forget_replays() -> None:
    """Delete answers that nobody repeats any more."""
    idempotency.forget_old(now=database_now())


@shared_task
def erase_what_waited() -> None:
    """Erase what somebody asked to be erased and an open case needed until now."""
    with alone("marketplace.erase_what_waited") as first:
        if first:
            erasure.erase_due(now=database_now())


@shared_task
def tell_news() -> None:
    """Read on in the log and tell people and programs what was new."""
    with alone("marketplace.tell_news") as first:
        while first and telling.tell(now=database_now()) == telling.READ_AT_ONCE:
            continue


@shared_task
def send_mails() -> None:
    """Send what waits to whoever it is for."""
    mailing.send_due(now=database_now())


@shared_task
def deliver() -> None:
    """Send what waits to the hooks; where more waits, the next hint goes on."""
    sent = delivering.deliver_due(egress=delivering.way_out(), now=database_now())
    if sent == delivering.AT_ONCE:
        hint("marketplace.tasks.deliver")


@shared_task
def run_shadows() -> None:
    """Copy calls to candidates and compare."""
    if running.run_shadows(egress=egress(), now=database_now()) == running.AT_ONCE:
        hint("marketplace.tasks.run_shadows")


@shared_task
def run_replays() -> None:
    """Make the captured calls again that somebody asked for."""
    replaying.run_replays(egress=egress(), now=database_now())


@shared_task
def forget_replayed_answers() -> None:
    """What a replay was answered goes with the call's own contents."""
    replaying.forget_answers()


@shared_task
def ask_witnesses() -> None:
    """Have each witness cosign the newest head of the log."""
    with alone("marketplace.ask_witnesses") as first:
        if first and settings.LOG_WITNESSES:
            cosigning.ask_all(egress=cosigning.way_out(), now=database_now())


@shared_task
def oversee_agents() -> None:
    """Hold every agent that is due against the controls over it."""
    with alone("marketplace.oversee_agents") as first:
        if first:
            oversight.oversee(now=database_now())


# The ground says that standings moved and knows of nobody; here is who listens.
@shared_task(name="reputation.standings_moved")
def follow_standings() -> None:
    """A standing that moved takes its offer along, and may fire or clear a control now."""
    finding.follow_scores()
    oversee_agents()


# A window's end, a breach in it and a drift are evidence, which moves what controls read.
@shared_task(name="pacts.window_breached")
def follow_breach(window: str) -> None:
    """A promise broken under real calls stops a metered budget, may fire a control now, and people
    are told."""
    look_at_meters()
    hint("reputation.tasks.sequence_evidence")
    tell_news()
    oversee_agents()


@shared_task(name="pacts.window_concluded")
def follow_window(window: str) -> None:
    """A window that ended is paid for where calls are metered, and may fire or clear a control."""
    look_at_meters()
    oversee_agents()


@shared_task(name="pacts.drift_found")
def follow_drift(alarm: str) -> None:
    """A drift may fire a control now."""
    oversee_agents()


@shared_task
def record_overdue_reviews() -> None:
    """Write down reviews of controls that are overdue: that is a signal itself."""
    with alone("marketplace.record_overdue_reviews") as first:
        if first and controlling.record_overdue(now=database_now()):
            oversight.ask_for_a_look(scope="platform", scope_id="")


@shared_task
def watch_for_gaming() -> None:
    """Look through hires, members, purses and scores for what a person should look at."""
    with alone("marketplace.watch_for_gaming") as first:
        if first:
            sightings.watch(now=database_now())
