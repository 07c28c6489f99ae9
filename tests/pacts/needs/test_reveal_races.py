"""Two sweeps at once, and an offer at the moment of the reveal: one outcome each time."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from pacts import needs
from pacts.models import Need, SealedOffer
from pacts.needs import NeedClosed
from reputation.models import Evidence
from tests import cast
from tests.pacts.needs.asked import agent_for, need_of, offered
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db(transaction=True)
TICK = timedelta(microseconds=1)


def test_two_sweeps_open_each_offer_once() -> None:
    alice, bob = cast.alice(), cast.bob()
    need = need_of(alice)
    offered(need, bob, agent_for(bob))
    after = need.offers_until + TICK
    done = in_parallel(3, lambda: needs.reveal_due(now=after))
    assert sum(one for one in done if isinstance(one, int)) == 1, done
    assert Evidence.objects.filter(kind="offer.revealed").count() == 1
    assert Evidence.objects.filter(kind="need.revealed").count() == 1


def test_an_offer_is_before_the_reveal_or_refused_never_beside_it() -> None:
    alice, bob, mallory = cast.alice(), cast.bob(), cast.mallory()
    need = need_of(alice)
    offered(need, mallory, agent_for(mallory, "Cheap"))
    version, at = agent_for(bob), need.offers_until
    sides: Iterator[Callable[[], object]] = iter(
        [lambda: offered(need, bob, version, now=at), lambda: needs.reveal_due(now=at + TICK)]
    )
    done = in_parallel(2, lambda: next(sides)())
    needs.reveal_due(now=at + TICK)
    assert Need.objects.get().state == "revealed"
    [offer] = [one for one in done if not isinstance(one, int)]
    if isinstance(offer, SealedOffer):
        assert SealedOffer.objects.get(pk=offer.pk).state == "revealed"
    else:
        assert isinstance(offer, NeedClosed)
    assert not SealedOffer.objects.filter(state="standing").exists()


def test_two_offers_of_one_builder_at_once_leave_one_standing() -> None:
    alice, bob = cast.alice(), cast.bob()
    need, version = need_of(alice), agent_for(bob)
    in_parallel(3, lambda: offered(need, bob, version))
    assert sorted(SealedOffer.objects.values_list("state", flat=True)) == [
        "replaced",
        "replaced",
        "standing",
    ]
