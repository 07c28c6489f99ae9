"""An agreement is signed only if what it promises may be held on the agent."""

import pytest

from pacts.models import Engagement
from settlement import engagements, exposure
from settlement import escrow as escrows
from settlement.refusals import ExposureExceeded
from tests import cast
from tests.settlement.hires import START, Hire, hire

pytestmark = pytest.mark.django_db


def unsigned(*prices: int) -> Hire:
    return hire(prices=prices, signed=False)


def sign(made: Hire, who: cast.Actor) -> Engagement:
    return engagements.sign(
        engagement=made.engagement, party=who.party, by=who.user, authority="owner", now=START
    )


def test_an_agreement_that_fits_is_signed() -> None:
    made = unsigned(exposure.NEWCOMER, 1)
    sign(made, made.alice)
    assert sign(made, made.bob).state == "active"


def test_a_milestone_beyond_the_limit_is_refused_at_once_with_the_arithmetic() -> None:
    made = unsigned(1, exposure.NEWCOMER + 1)
    with pytest.raises(
        ExposureExceeded, match=r"USD 25,000\.01 for one milestone, with 0\.00 held"
    ):
        sign(made, made.alice)
    made.engagement.refresh_from_db()
    assert (made.engagement.state, made.engagement.buyer_signature) == ("proposed", None)


def test_what_is_held_already_counts_against_the_first_milestone() -> None:
    made = hire(price=exposure.NEWCOMER)
    made.fund()
    more = Engagement.objects.get(pk=made.engagement.pk)
    Engagement.objects.filter(pk=more.pk).update(state="proposed")
    more.refresh_from_db()
    with pytest.raises(ExposureExceeded, match="work in progress"):
        engagements.sign(
            engagement=more,
            party=made.alice.party,
            by=made.alice.user,
            authority="owner",
            now=START,
        )
    escrows.give_back(escrow=made.escrow, by=made.bob.party, now=START)
    assert made.escrow.state == "refunded"
