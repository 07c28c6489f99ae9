"""What the watch saw is kept, frozen by a person with a reason, and released."""

import pytest
from django.utils.timezone import now as clock

from marketplace.acting import Acting
from marketplace.gaming import freezing, sightings
from marketplace.gaming.freezing import FreezeRefused
from marketplace.models import Listing, Suspicion
from pacts.models import Member
from reputation import restrictions
from reputation.models import Evidence
from settlement.models import Payout
from tests import cast
from tests.marketplace.market import Market, one_of_everything

pytestmark = pytest.mark.django_db

REASON = "Both are run by the same person; see the register."


@pytest.fixture
def market() -> Market:
    return one_of_everything()


def staff() -> Acting:
    erin = cast.actor("erin", is_staff=True)
    return Acting(erin.user, erin.party, "owner")


def the_suspicion() -> Suspicion:
    return Suspicion.objects.get(pattern="one_buyer")


def test_a_freeze_suspends_the_listing_and_withholds_and_a_release_gives_both_back(
    market: Market,
) -> None:
    acting, found = staff(), the_suspicion()
    freezing.freeze(acting=acting, suspicion=found, reason=REASON, now=clock())
    assert Listing.objects.get().state == "suspended"
    actions = {one.action for one in restrictions.in_force(agent_id=found.agents[0], now=clock())}
    assert actions >= {"suspend", "withhold"}
    freezing.release(acting=acting, suspicion=found, reason=REASON, now=clock())
    assert Listing.objects.get().state == "open"
    still = restrictions.in_force(agent_id=found.agents[0], now=clock())
    assert not {one.action for one in still} & {"suspend", "withhold"}
    assert [step.state for step in the_suspicion().steps.all()] == ["released", "frozen"]


def test_freezing_twice_and_without_a_reason_is_refused(market: Market) -> None:
    acting, found = staff(), the_suspicion()
    with pytest.raises(FreezeRefused, match="say why"):
        freezing.freeze(acting=acting, suspicion=found, reason="because", now=clock())
    assert Listing.objects.get().state == "open"
    freezing.freeze(acting=acting, suspicion=found, reason=REASON, now=clock())
    with pytest.raises(FreezeRefused, match="frozen already"):
        freezing.freeze(acting=acting, suspicion=found, reason=REASON, now=clock())


def test_the_log_says_that_something_was_frozen_and_not_whom_or_why(market: Market) -> None:
    freezing.freeze(acting=staff(), suspicion=the_suspicion(), reason=REASON, now=clock())
    told = Evidence.objects.filter(kind__startswith="gaming.")
    for envelope in (one.read() for one in told):
        assert market.bob.party.id not in str(envelope)
        assert "register" not in str(envelope)
    assert {one.kind for one in told} == {"gaming.found", "gaming.frozen"}


def test_the_sweep_finds_a_member_of_both_sides_once(market: Market) -> None:
    Member.objects.create(party=market.bob.party, user=market.alice.user, role="viewer")
    assert sightings.watch(now=clock()) == 1
    assert sightings.watch(now=clock()) == 0
    found = Suspicion.objects.get(pattern="self_dealing")
    assert found.figures["shared_people"] == 1
    assert set(found.parties) == {market.alice.party.id, market.bob.party.id}
    assert market.ids["agent"] in found.agents


def test_a_shared_destination_is_seen_and_the_sandboxes_own_word_is_not(market: Market) -> None:
    assert Payout.objects.get().destination.startswith("sandbox:")
    assert sightings.watch(now=clock()) == 0
