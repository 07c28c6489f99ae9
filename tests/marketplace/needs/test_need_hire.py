"""A hire that came out of a need: signed, funded, judged and paid by the buyer's own pact."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now as clock

from marketplace import hiring, picking
from marketplace.models import Listing
from pacts import needs
from pacts.engagements import Timers
from pacts.models import Engagement, Evaluation
from settlement import engagements as signing
from settlement import escrow, ledger
from tests import cast
from tests.marketplace.market import _give
from tests.pacts.needs.asked import agent_for, need_of, offered
from tests.pacts.runs import RELATED, to_the_end

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_a_picked_offer_earns_is_decided_by_the_pact_that_the_buyer_wrote() -> None:
    alice, bob = cast.alice(), cast.bob()
    need = need_of(alice)
    with cast.agent_service(cast.echo) as url:
        version = agent_for(bob, url=url)
        offer = offered(need, bob, version, price=7_000)
        needs.reveal_due(now=need.offers_until + timedelta(microseconds=1))
        engagement = picking.pick(
            need=need,
            offer_id=offer.id,
            buyer=alice.party,
            task_set_version=cast.golden_set(alice, cast.doubling_tasks(40)),
            by=alice.user,
            authority="member:owner",
            now=clock(),
        )
        engagement = signing.sign(
            engagement=engagement, party=bob.party, by=bob.user, authority="o", now=clock()
        )
        _give(alice, 20_000)
        milestone = engagement.milestones.get()
        held = escrow.fund(milestone=milestone, by=alice.party, idempotency_key="once", now=clock())
        run = Evaluation.objects.select_related(*RELATED).get()
        assert run.pact_version_id == need.pact_version_id
        assert to_the_end(run).outcome == "met"
    settled = escrow.accept(escrow=held, by=alice.party, now=clock())
    assert settled.state == "released"
    assert ledger.balances_of(alice.party)["EUR"] == 13_000


def test_who_was_suspended_after_offering_is_hired_by_nobody_and_the_need_stays() -> None:
    alice, bob = cast.alice(), cast.bob()
    need, version = need_of(alice), agent_for(bob)
    hiring.open_listing(
        agent_version=version,
        pact_version=cast.pact_of(version, bob),
        price=10_000,
        currency="EUR",
        timers=Timers(),
        by=bob.user,
        now=clock(),
    )
    offer = offered(need, bob, version)
    needs.reveal_due(now=need.offers_until + timedelta(microseconds=1))
    asked: dict[str, Any] = {
        "need": need,
        "offer_id": offer.id,
        "buyer": alice.party,
        "task_set_version": cast.golden_set(alice, cast.doubling_tasks(5)),
        "by": alice.user,
        "authority": "member:owner",
        "now": need.choose_until,
    }
    Listing.objects.update(state=Listing.State.SUSPENDED)
    with pytest.raises(hiring.ListingClosed, match="the platform suspended this agent"):
        picking.pick(**asked)
    assert not Engagement.objects.exists()
    Listing.objects.update(state=Listing.State.PAUSED)
    assert picking.pick(**asked).state == "proposed", "a pause takes back no offer"
