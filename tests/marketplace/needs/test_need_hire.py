"""A hire that came out of a need: signed, funded, judged and paid by the buyer's own pact."""

from datetime import timedelta

import pytest
from django.utils.timezone import now as clock

from marketplace import picking
from pacts import needs
from pacts.models import Evaluation
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
