"""Controls over a real market: what fires, what it changes, who may lift it, races included."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils.timezone import now as clock

from marketplace import hiring, oversight, steering
from marketplace.acting import Acting
from marketplace.hiring import ListingClosed
from marketplace.models import Listing
from marketplace.steering import ControlNotYours
from pacts import registry
from pacts.engagements import Timers
from pacts.models import Agent, Evaluation, Verdict
from pacts.reevaluations import ReEvaluationDue
from reputation import checkpoints, controlling, restrictions, sequencer, standings
from reputation.controlling import ControlChanged, ControlUseless
from reputation.controls import Terms
from reputation.firings import FiringLifted, OverrideRefused
from reputation.models import Control, Evidence, Firing
from settlement import escrow, limits
from settlement.escrow import ExposureExceeded
from tests import cast
from tests.marketplace import market
from tests.racing import in_parallel
from tests.reputation.cast import clause as said
from tests.reputation.cast import record, settlement, verdict

DAY = timedelta(days=1)


class World:
    """bob's listed agent, alice who hires, dora of the platform's staff."""

    def __init__(self) -> None:
        self.alice, self.bob = cast.alice(), cast.bob()
        self.staff = Acting(cast.actor("staff", is_staff=True).user)
        self.builder = Acting(self.bob.user, self.bob.party, "owner")
        self.version = cast.agent_of(self.bob)
        Agent.objects.filter(pk=self.version.agent_id).update(control_proved_at=clock())
        self.version.agent.refresh_from_db()
        self.pact = cast.pact_of(self.version, self.bob)
        self.listing = self.listed(self.version, self.pact)
        self.tasks = cast.golden_set(self.alice, cast.doubling_tasks(3))

    @property
    def agent_id(self) -> str:
        return self.version.agent_id

    def listed(self, version: Any, pact: Any) -> Listing:
        return hiring.open_listing(
            agent_version=version,
            pact_version=pact,
            price=10_000,
            currency="EUR",
            timers=Timers(),
            by=self.bob.user,
            now=clock(),
        )

    def score(self, passes: int, failures: int) -> None:
        """Settled, platform-evaluated work of the version on offer, folded into its standing."""
        judged = record(
            verdict(
                said(passes, failures), agent=self.agent_id, version=self.version.pk, at=clock()
            )
        )
        record(settlement(judged[0].pk, at=clock()))
        sequencer.sequence_batch()
        standings.update_standings()

    def control(self, acting: Acting | None = None, **changes: Any) -> Control:
        terms = self.terms(**changes)
        return steering.set_control(
            acting=acting or self.staff, name="Watch", terms=terms, now=clock()
        )

    def terms(self, **changes: Any) -> Terms:
        given = {
            "metric": "lower_bound",
            "threshold": 8_000,
            "scope": "agent",
            "scope_id": self.agent_id,
            "action": "narrow",
            "limit": 5_000,
            "cadence_days": 30,
        } | changes
        if given["action"] != "narrow":
            given["limit"] = None
        return steering.terms_of(given)

    def look(self, now: datetime | None = None) -> list[Firing]:
        return oversight.look_at(agent_id=self.agent_id, now=now or clock())

    def in_force(self, now: datetime | None = None) -> list[str]:
        found = restrictions.in_force(agent_id=self.agent_id, now=now or clock())
        return [one.action for one in found]

    def hire(self) -> Any:
        return hiring.hire(
            listing=self.listing,
            buyer=self.alice.party,
            task_set_version=self.tasks,
            by=self.alice.user,
            authority="member:owner",
            now=clock(),
        )

    def rival(self) -> Listing:
        version = cast.agent_of(self.bob, name="Other Doubler")
        Agent.objects.filter(pk=version.agent_id).update(control_proved_at=clock())
        version.agent.refresh_from_db()
        return self.listed(version, cast.pact_of(version, self.bob))


@pytest.fixture
def world(db: None) -> World:
    return World()


def test_a_breached_threshold_narrows_what_may_be_held_and_recovery_widens_it(world: World) -> None:
    engagement = world.hire()
    world.control()
    world.score(20, 30)
    (firing,) = world.look()
    assert firing.changed["limit"][1] == 5_000
    held = {"agent_id": world.agent_id, "version_id": world.version.pk, "currency": "EUR"}
    assert limits.limit_for(**held, now=clock()).amount == 5_000
    with pytest.raises(ExposureExceeded, match=r"agree on less"):
        world.hire()
    market._give(world.alice, 10_000)
    with pytest.raises(ExposureExceeded, match=r"at most 50.00 of each currency"):
        escrow.fund(
            milestone=engagement.milestones.get(),
            by=world.alice.party,
            idempotency_key="k" * 8,
            now=clock(),
        )
    world.score(5_000, 0)
    (lifted,) = world.look()
    assert (lifted.pk, lifted.release) == (firing.pk, "recovered")
    assert limits.limit_for(**held, now=clock()).amount > 5_000


def test_between_threshold_and_recovery_nothing_changes(world: World) -> None:
    world.control(threshold=8_000, recover_at=9_900)
    world.score(20, 30)
    assert len(world.look()) == 1
    world.score(900, 0)
    assert world.look() == []
    assert world.in_force() == ["narrow"]


def test_what_is_not_known_fires_nothing(world: World) -> None:
    world.control()
    world.score(3, 9)
    assert world.look() == []


def test_firing_and_clearing_are_evidence_that_names_the_agent(world: World) -> None:
    control = world.control()
    world.score(20, 30)
    (firing,) = world.look()
    fired = Evidence.objects.get(pk=firing.evidence_id).read()
    assert fired["kind"] == "control.fired"
    assert fired["subjects"]["agent"] == world.agent_id
    assert fired["subjects"]["builder"] == world.bob.party.pk
    assert fired["subjects"]["control"] == control.lineage
    assert fired["facts"]["threshold"] == 8_000
    assert Evidence.objects.filter(kind="control.set").count() == 1


def test_a_suspended_listing_comes_back_as_it_was(world: World) -> None:
    world.control(action="suspend")
    hiring.pause_listing(listing=world.listing)
    world.score(20, 30)
    world.look()
    assert Listing.objects.get().state == "suspended"
    with pytest.raises(ListingClosed):
        world.hire()
    world.score(5_000, 0)
    world.look()
    assert Listing.objects.get().state == "paused"


def test_what_staff_suspended_no_control_opens(world: World) -> None:
    world.control(action="suspend", threshold=5_000)
    world.score(5_000, 0)
    Listing.objects.update(state="suspended")
    world.look()
    assert Listing.objects.get().state == "suspended"


def test_hires_are_sent_elsewhere_by_name(world: World) -> None:
    world.rival()
    world.control(action="route_elsewhere")
    world.score(20, 30)
    world.look()
    with pytest.raises(ListingClosed, match="hire Other Doubler instead"):
        world.hire()


def test_a_re_evaluation_blocks_new_engagements_until_it_is_met(world: World) -> None:
    market._give(world.alice, 20_000)
    first = world.hire().milestones.get()
    escrow.fund(milestone=first, by=world.alice.party, idempotency_key="k" * 8, now=clock())
    world.control(action="re_evaluate")
    world.score(20, 30)
    (firing,) = world.look()
    with pytest.raises(ReEvaluationDue):
        world.hire()
    started = steering.re_evaluate(acting=world.builder, firing=firing, now=clock())
    again = steering.re_evaluate(acting=world.builder, firing=firing, now=clock())
    assert started == again
    assert started.evaluation.independence == "platform"
    assert world.look() == []
    market._judge(started.evaluation)
    (lifted,) = world.look()
    assert lifted.release == "re_evaluated"
    world.hire()
    assert world.look() == []  # the evidence that was answered does not fire again
    world.score(1, 30)
    assert [one.control.action for one in world.look()] == ["re_evaluate"]


def test_a_breached_re_evaluation_lifts_nothing(world: World) -> None:
    market._give(world.alice, 20_000)
    first = world.hire().milestones.get()
    escrow.fund(milestone=first, by=world.alice.party, idempotency_key="k" * 8, now=clock())
    world.control(action="re_evaluate")
    world.score(20, 30)
    (firing,) = world.look()
    started = steering.re_evaluate(acting=world.builder, firing=firing, now=clock()).evaluation
    started.trials.filter(state="queued").update(state="done", finished_at=clock())
    Evaluation.objects.filter(pk=started.pk).update(state="concluded", concluded_at=clock())
    Verdict.objects.create(
        evaluation=started,
        outcome="breached",
        earned_share_bps=0,
        method="exact",
        concluded_at=clock(),
        evidence_id="evd_0190f3c2a1b27c3d8e4f5a6b7c8d9e0f",
    )
    assert world.look() == []
    assert world.in_force() == ["re_evaluate"]


def test_an_escalation_waits_for_a_person_and_the_same_evidence_asks_once(world: World) -> None:
    world.control(action="escalate")
    world.score(20, 30)
    (firing,) = world.look()
    steering.resolve(acting=world.staff, firing=firing, now=clock())
    assert world.look() == []
    with pytest.raises(FiringLifted):
        steering.resolve(acting=world.staff, firing=firing, now=clock())


def test_an_override_needs_somebody_authorised_a_reason_and_an_end(world: World) -> None:
    world.control(action="suspend")
    world.score(20, 30)
    (firing,) = world.look()
    now = clock()
    with pytest.raises(ControlNotYours, match="the platform's staff"):
        steering.override(
            acting=world.builder, firing=firing, reason="we promise", until=now + DAY, now=now
        )
    for reason, until in (
        ("", now + DAY),
        ("a good reason", now),
        ("a good reason", now + 91 * DAY),
    ):
        with pytest.raises(OverrideRefused):
            steering.override(
                acting=world.staff, firing=firing, reason=reason, until=until, now=now
            )
    made = steering.override(
        acting=world.staff, firing=firing, reason="a fixed outage", until=now + DAY, now=now
    )
    assert world.in_force(now) == world.in_force(made.until_at) == []
    assert Listing.objects.get().state == "open"
    after = made.until_at + timedelta(microseconds=1)
    assert world.in_force(after) == ["suspend"]
    world.look(after)
    assert Listing.objects.get().state == "suspended"


def test_twenty_looks_at_once_make_one_firing(
    transactional_db: None,
) -> None:
    world = World()
    world.control()
    world.score(20, 30)
    results = in_parallel(20, world.look)
    assert not [one for one in results if isinstance(one, Exception)]
    assert sum(len(one) for one in results) == 1
    assert Evidence.objects.filter(kind="control.fired").count() == Firing.objects.count() == 1


def test_two_changes_of_one_control_at_once_make_one_version(transactional_db: None) -> None:
    world = World()
    control = world.control()

    def change() -> Control:
        return steering.change_control(
            acting=world.staff,
            control=control,
            name="Watch",
            terms=world.terms(threshold=7_000),
            now=clock(),
        )

    results = in_parallel(4, change)
    assert len([one for one in results if isinstance(one, Control)]) == 1
    assert all(isinstance(one, ControlChanged | Control) for one in results)


def test_a_changed_control_looks_anew_and_a_retired_one_lifts(world: World) -> None:
    control = world.control()
    world.score(20, 30)
    world.look()
    changed = steering.change_control(
        acting=world.staff, control=control, name="Watch", terms=world.terms(limit=1), now=clock()
    )
    lifted = Firing.objects.get(released_at=None)
    released, fired = sorted(world.look(), key=lambda one: one.fired_at)[-1:], changed
    assert Firing.objects.get(pk=lifted.pk).release == "changed"
    assert released[0].control_id == fired.pk
    steering.retire_control(acting=world.staff, control=changed, now=clock())
    (ended,) = world.look()
    assert ended.release == "retired"
    assert world.in_force() == []


def test_the_sweep_finds_what_a_lost_hint_forgot(world: World) -> None:
    world.control()
    oversight.oversee(now=clock())
    world.score(20, 30)
    checkpoints.sign_now(now=clock())
    assert oversight.oversee(now=clock()) == 1
    assert world.in_force() == ["narrow"]
    assert oversight.oversee(now=clock()) <= 1  # its own firing is news of it
    oversight.oversee(now=clock())
    assert oversight.oversee(now=clock() + timedelta(minutes=59)) == 0
    assert oversight.oversee(now=clock() + timedelta(minutes=62)) == 1


def test_an_overdue_review_is_recorded_once_and_is_a_metric(world: World) -> None:
    watched = world.control(cadence_days=7)
    world.control(metric="review_overdue_days", threshold=2, action="escalate")
    later = clock() + 10 * DAY
    assert controlling.record_overdue(now=later) == 1
    assert controlling.record_overdue(now=later) == 0
    assert [one.control.metric for one in world.look(later)] == ["review_overdue_days"]
    steering.review_control(acting=world.staff, control=watched, note="", now=later)
    assert world.look(later)[0].release == "recovered"
    assert not controlling.due_of(watched, now=later).is_overdue


def test_a_new_version_without_evidence_is_a_metric_and_lifts_nothing(world: World) -> None:
    world.control()
    world.control(metric="version_changed", threshold=0, action="escalate")
    world.score(20, 30)
    world.look()
    newer = registry.add_version(
        agent=world.version.agent,
        endpoint=cast.DEAD_END + "2",
        protocol=world.version.protocol,
        declared={},
        max_concurrency=4,
        deadline_ms=10_000,
        now=clock(),
    )
    world.listed(newer, world.pact)
    world.look()
    assert sorted(world.in_force()) == ["escalate", "narrow"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"threshold": 0}, "can never fire"),
        ({"threshold": 10_001}, "outside"),
        ({"threshold": 9_000, "recover_at": 8_000}, "still fires"),
        ({"metric": "critical_breaches", "threshold": 1_000_000}, "can never fire"),
        ({"action": ""}, "needs an action"),
        ({"limit": None}, "to how much"),
        ({"limit": 500_000_000}, "changes nothing"),
        ({"limit": 2_500_000}, "it may carry 2500000 now"),
        ({"scope_id": "agt_nobody"}, "no agent"),
        ({"scope": "category", "scope_id": "alchemy"}, "no agent"),
        ({"dimension": "elegance"}, "nobody there promises"),
        ({"cadence_days": 0}, "every how many days"),
        ({"action": "withhold"}, "how many days"),
        ({"action": "withhold", "hold_days": 31}, "how many days"),
        ({"action": "route_elsewhere"}, "no other listing"),
        ({"action": "re_evaluate"}, "no tasks"),
        ({"metric": "units", "dimension": "accuracy"}, "not measured by dimension"),
    ],
)
def test_a_control_that_would_do_nothing_is_not_saved(
    world: World, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(ControlUseless, match=why):
        world.control(**changes)
    assert not Control.objects.exists()


def test_suspending_what_is_suspended_is_not_saved(world: World) -> None:
    Listing.objects.update(state="suspended")
    with pytest.raises(ControlUseless, match="suspended already"):
        world.control(action="suspend")


def test_the_same_control_twice_or_a_change_of_nothing_is_not_saved(world: World) -> None:
    control = world.control()
    with pytest.raises(ControlUseless, match="exactly this already"):
        world.control()
    with pytest.raises(ControlUseless, match="nothing would change"):
        steering.change_control(
            acting=world.staff, control=control, name="Watch", terms=world.terms(), now=clock()
        )


def test_a_builder_sets_controls_over_its_own_agents_alone(world: World) -> None:
    world.control(world.builder)
    mallory = cast.mallory()
    hers = Acting(mallory.user, mallory.party, "owner")
    with pytest.raises(ControlUseless, match="no agent in this agent"):
        world.control(hers, threshold=7_000)
    with pytest.raises(ControlNotYours, match="staff"):
        world.control(world.builder, scope="platform", scope_id="")
    with pytest.raises(ControlUseless, match="member of the party"):
        steering.set_control(
            acting=world.builder,
            name="Watch",
            terms=world.terms(threshold=6_000),
            owner_user=mallory.user.id,
            now=clock(),
        )


def test_the_database_keeps_controls_and_firings(world: World) -> None:
    control = world.control()
    world.score(20, 30)
    (firing,) = world.look()
    for attack in (
        lambda: Control.objects.filter(pk=control.pk).update(threshold=1),
        lambda: Control.objects.filter(pk=control.pk).delete(),
        lambda: Firing.objects.filter(pk=firing.pk).update(observed=1),
        lambda: Firing.objects.filter(pk=firing.pk).delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            attack()
