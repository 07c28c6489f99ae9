"""One of everything, owned by alice and bob: for tests that walk every address."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils.timezone import now as clock

from marketplace import cases, hiring, oversight, policy, replies, steering
from marketplace.acting import Acting
from marketplace.gaming import sightings
from marketplace.gaming.signs import Sign
from marketplace.keys import issue_key
from marketplace.models import BenchmarkClaim, PolicyProposal, StandingCredential, Suspicion
from pacts import calls, calls_checking, evaluators, imports, live_windows, rehearsals, reviews
from pacts.engagements import Timers, sign_engagement
from pacts.judges import calibrating
from pacts.metering import MeteringTerms
from pacts.models import Agent, Dispute, Evaluation, Precedent, ReviewBatch, Verdict
from reputation import firings
from reputation.canonical import JsonValue
from reputation.controls import Reading
from reputation.identifiers import new_id
from reputation.models import Control, Evidence, Firing
from settlement import (
    cancellations,
    deposits,
    escrow,
    ledger,
    metering_looks,
    meters,
    payouts,
)
from settlement.ledger import Posting
from settlement.models import MeterWindow, Receipt, Transfer
from settlement.money import Money
from tests import cast
from tests.marketplace.negotiated_market import talked_about
from tests.marketplace.production_market import consequences
from tests.marketplace.search_market import kept_search
from tests.marketplace.tried_market import needed, packed, tried


@dataclass(frozen=True, slots=True)
class Market:
    """Ids of one of everything; `of` finds the one an address is about."""

    alice: cast.Actor
    bob: cast.Actor
    ids: dict[str, str]


def one_of_everything() -> Market:
    """A hire that was disputed beside one that was settled, with all that belongs to them."""
    alice, bob = cast.alice(), cast.bob()
    version = cast.agent_of(bob)
    Agent.objects.filter(pk=version.agent_id).update(control_proved_at=clock())
    version.agent.refresh_from_db()
    pact = cast.pact_of(version, bob)
    tasks = cast.golden_set(alice, cast.doubling_tasks(3))
    listing = hiring.open_listing(
        agent_version=version,
        pact_version=pact,
        price=10_000,
        currency="EUR",
        timers=Timers(),
        by=bob.user,
        now=clock(),
    )
    claim = hiring.record_claim(
        agent_version=version,
        benchmark="Sums",
        score_bps=9_900,
        units=100,
        method="exact match",
        not_measured="words",
        ran_by=BenchmarkClaim.Runner.BUILDER,
        measured_on=clock().date(),
        now=clock(),
    )
    brought = imports.import_run(
        agent_version=version,
        name="sums.csv",
        data=b"task,passed\none,pass\ntwo,fail\n",
        by=bob.user,
        now=clock(),
    )
    _give(alice, 40_000)
    hired = [
        hiring.hire(
            listing=listing,
            buyer=alice.party,
            task_set_version=tasks,
            by=alice.user,
            authority="member:owner",
            now=clock(),
        )
        for _ in range(2)
    ]
    settled, disputed = (engagement.milestones.get() for engagement in hired)
    for milestone in (settled, disputed):
        escrow.fund(milestone=milestone, by=alice.party, idempotency_key=milestone.id, now=clock())
        _judge(milestone.deliverables.get().evaluation)
    settled_escrow = escrow.accept(escrow=settled.escrow, by=alice.party, now=clock())
    dispute = escrow.dispute(
        escrow=disputed.escrow,
        party=bob.party,
        by=bob.user,
        ground=Dispute.Ground.PERFORMANCE,
        statement="It was right.",
        now=clock(),
    )
    offered = cancellations.propose_cancellation(
        milestone=disputed, party=bob.party, by=bob.user, award_bps=5_000, now=clock()
    )
    money = Money(500, "EUR")
    deposit = deposits.request_deposit(
        party=alice.party, money=money, idempotency_key="d", now=clock()
    )
    payout = payouts.request_payout(
        party=alice.party,
        money=money,
        idempotency_key="p",
        now=clock(),
        cooldown=timedelta(days=1),
    )
    key = issue_key(party=alice.party, user=alice.user, name="k", scopes=["read"], now=clock()).key
    control, firing = _fired_control(bob, version.agent)
    jury, review = _drawn_answer(bob, disputed.deliverables.get().evaluation)
    credential = StandingCredential.objects.create(
        agent=version.agent,
        agent_version=version,
        text="a.b.c",
        issued_at=clock(),
        expires_at=clock() + timedelta(days=1),
    )
    call = _called(alice, hired[1].id)
    window = _metered(alice, bob)
    offer = evaluators.offer(
        party=alice.party,
        task_set_version=cast.golden_set(alice, cast.doubling_tasks(20)),
        by=alice.user,
        now=clock(),
    )
    tries = tried(alice, listing, tasks, now=clock())
    ids = {
        **talked_about(alice, listing, tasks),
        **consequences(alice=alice, engagement=hired[1], call=call, now=clock()),
        "call": call,
        **tries,
        **packed(alice, now=clock()),
        **needed(alice, bob, version, tries["asked-pact"], now=clock()),
        "saved-search": kept_search(alice, now=clock()),
        "meter": window.meter_id,
        "meter-window": window.id,
        "meter-statement": window.statement.id,
        "evaluator-offer": offer.id,
        "credential": credential.id,
        "jury": jury,
        "review": review,
        "control": control.lineage,
        "firing": firing.id,
        "party": alice.party.id,
        "member": alice.user.id,
        "key": key.id,
        "agent": version.agent_id,
        "agent-version": version.id,
        "pact": pact.pact_id,
        "check": "equality",
        "pact-template": "support",
        "pact-version": pact.id,
        "rehearsal": rehearsals.start_ping(agent_version=version, by=bob.user, now=clock()).id,
        "task-set": tasks.task_set_id,
        "task-set-version": tasks.id,
        "listing": listing.id,
        "claim": claim.id,
        "imported-run": brought.id,
        "evaluation": disputed.deliverables.get().evaluation.id,
        "engagement": hired[1].id,
        "milestone": disputed.id,
        "dispute": dispute.id,
        "cancellation": offered.id,
        "reply": _replied(disputed.deliverables.get().evaluation, bob),
        **_beside_a_dispute(dispute, bob),
        "deposit": deposit.id,
        "payout": payout.id,
        "receipt": Receipt.objects.get(escrow=settled_escrow).id,
        "evidence": Evidence.objects.order_by("id")[0].id,
    }
    return Market(alice, bob, ids)


def _replied(run: Evaluation, bob: cast.Actor) -> str:
    """What bob says to how his agent was judged."""
    said = replies.reply(
        about=run,
        party=bob.party,
        by=bob.user,
        authority="member:owner",
        text="The tasks were not what was agreed.",
        now=clock(),
    )
    return said.id


def _beside_a_dispute(dispute: Dispute, bob: cast.Actor) -> dict[str, str]:
    """An item of evidence, a precedent, a report of labels, and a suspicion."""
    exhibit = cases.add_exhibit(
        dispute=dispute,
        party=bob.party,
        by=bob.user,
        kind="text/plain",
        title="The log of the run",
        body=b"<script>alert(1)</script> it was right",
        now=clock(),
    )
    precedent = Precedent.objects.create(
        dispute=dispute,
        ground=dispute.ground,
        work="arithmetic",
        clause_kinds=["equality/1"],
        award_bps=5_000,
        measured_bps=10_000,
        track=dispute.track,
        by_rule=False,
        level=1,
        reasons="[the builder] delivered half of what was promised.",
        published_at=clock(),
        words="performance arithmetic equality 1",
    )
    labels = b"item,oracle,expert_1,judge_a\none,pass,pass,pass\ntwo,fail,fail,pass\n"
    report = cases.load_agreement(name="Labels", source="", data=labels, by=bob.user, now=clock())
    sign = Sign(
        pattern="one_buyer",
        parties=(bob.party.id,),
        agents=(dispute.milestone.engagement.agent_version.agent_id,),
        figures={"settled": 6, "of_one": 6, "share_bps": 10_000, "buyers": 1},
    )
    sightings.keep([sign], now=clock())
    return {
        "exhibit": exhibit.id,
        "precedent": precedent.id,
        "agreement-report": report.id,
        "suspicion": Suspicion.objects.get(key=sign.key).id,
        "policy": _proposed().id,
    }


def _proposed() -> PolicyProposal:
    """A lower fee further up, waiting for a second person of the staff."""
    return policy.propose(
        changes={"band_1_above": 10_000, "band_1_bps": 300},
        reason="Large hires asked for a lower fee.",
        seen=0,
        by=cast.actor("staff", is_staff=True).user,
        now=clock(),
    )


def _metered(alice: cast.Actor, bob: cast.Actor) -> MeterWindow:
    """A metered hire of another agent with one window that was settled when alice ended it."""
    clause = cast.clause(
        "form",
        check="regex",
        params={"field": "label", "pattern": "[a-z]+"},
        window={"kind": "calls", "n": 40},
        risk_over="lifetime",
        on_undetermined="release",
    )
    version = cast.agent_of(bob, name="Labeller")
    meter = meters.propose(
        buyer=alice.party,
        agent_version=version,
        pact_version=cast.pact_of(version, bob, cast.pact_terms(clause)),
        currency="EUR",
        fee_bps=500,
        metering=MeteringTerms(budget=1_000, price=50, holdback_bps=1_000),
        by=alice.user,
        now=clock(),
    )
    for side in (alice, bob):
        sign_engagement(
            engagement=meter.engagement, party=side.party, by=side.user, authority="o", now=clock()
        )
    meters.fund(meter=meter, by=alice.party, idempotency_key="m", now=clock())
    _called(alice, meter.engagement_id, output={"label": "fine"})
    while calls_checking.check_calls(now=clock()):
        pass
    meters.end(meter=meter, by=alice.party, now=clock())
    live_windows.close_windows(stream_id=meter.engagement.streams.get().pk, now=clock())
    metering_looks.look(meter_id=meter.pk, now=clock())
    return meter.windows.get()


def _called(alice: cast.Actor, engagement: str, **changes: JsonValue) -> str:
    """One production call that alice reported."""
    hexes = new_id("cll").partition("_")[2]
    record: dict[str, JsonValue] = {
        "call_id": str(UUID(hexes)),
        "engagement": engagement,
        "started_at": "2026-01-01T00:00:00Z",
        "output": {"answer": 4},
    }
    calls.take_calls(reporter=alice.party, records=[record | changes], now=clock())
    return f"cll_{hexes}"


def _drawn_answer(by: cast.Actor, of: Evaluation) -> tuple[str, str]:
    """A jury, and an answer that waits for people to hold it against."""
    jury = calibrating.register_jury(
        name="Doubling",
        spec={
            "rubric": "The answer doubles the number it was given.",
            "jurors": [{"provider": "main", "model": "judge-2026-01-01"}],
        },
        providers=["main"],
        by=by.user,
        now=clock(),
    )
    with transaction.atomic():
        batch = reviews.open_batch(
            purpose=ReviewBatch.Purpose.CALIBRATION,
            evaluation=of,
            clause="",
            question=jury.spec["rubric"],
            probability_bps=10_000,
            reviewers=1,
            jury=jury,
            now=clock(),
        )
        items = reviews.draw(batch=batch, trials=list(of.trials.all()), now=clock())
    return jury.id, items[0].id


def _fired_control(bob: cast.Actor, agent: Agent) -> tuple[Control, Firing]:
    """bob's own control over his agent, which asks a person to look."""
    terms = steering.terms_of(
        {
            "metric": "review_overdue_days",
            "threshold": 1,
            "scope": "agent",
            "scope_id": agent.id,
            "action": "escalate",
            "cadence_days": 7,
        }
    )
    acting = Acting(bob.user, bob.party, "owner")
    control = steering.set_control(acting=acting, name="Late", terms=terms, now=clock())
    with transaction.atomic():
        firing = firings.look(
            control=control,
            place=oversight.place_of(agent),
            reading=Reading(2, "late"),
            effect=lambda _: {"escalate": [False, True]},
            now=clock(),
        )
    assert firing is not None
    return control, firing


def _give(actor: cast.Actor, amount: int) -> None:
    world = ledger.rail_account(rail="sandbox", currency="EUR")
    account = ledger.party_account(party=actor.party, currency="EUR")
    sides = ledger.move(source=world, target=account, amount=amount)
    ledger.post(Posting(kind=Transfer.Kind.DEPOSIT, key=f"gift:{actor.party.pk}", sides=sides))


def _judge(evaluation: Evaluation) -> Verdict:
    evaluation.trials.filter(state="queued").update(state="done", finished_at=clock())
    Evaluation.objects.filter(pk=evaluation.pk).update(state="concluded", concluded_at=clock())
    return Verdict.objects.create(
        evaluation=evaluation,
        outcome="met",
        earned_share_bps=10_000,
        method="exact",
        concluded_at=clock(),
        evidence_id="evd_0190f3c2a1b27c3d8e4f5a6b7c8d9e0f",
    )
