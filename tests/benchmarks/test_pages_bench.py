"""What the bench of the pages says it keeps and measures is what it does."""

from typing import Any

import pytest

from marketplace import finding
from marketplace.benches import pages_proof
from marketplace.benches.pages_words import PERSON
from marketplace.models import EntryBefore, Listing, SavedSearch, SearchChange
from pacts.models import User
from reputation.models import ScoreMove
from tests import cast
from tests.marketplace.pages.test_showing import offer

pytestmark = pytest.mark.django_db


def test_the_searches_it_keeps_ask_for_words_floors_freshness_and_prices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pages_proof, "CHANGES", 1)
    User.objects.create_user(email=PERSON)
    bob = cast.bob()
    listing = offer(bob, "Amber Parser", units=30).listing
    pages_proof.look_away()
    pages_proof._keep_searches()
    others = SavedSearch.objects.exclude(user__email=PERSON)
    assert 0.9 < SavedSearch.objects.count() / pages_proof.SEARCHES <= 1
    nothing: list[dict[str, Any]] = [{"words": ""}, {"floors": {}}, {"fresh_days": 0}]
    for asks in (*nothing, {"most": None}):
        assert others.exclude(**asks).count() > 100, asks
    found = pages_proof.look_at_changes()
    assert found["changed"] == 2, "once up, and once back down"
    assert Listing.objects.get(pk=listing.pk).price == listing.price
    assert not EntryBefore.objects.exists()
    untold = SearchChange.objects.filter(told_at=None, listing=listing)
    assert not untold.exists(), "taken back by the way down"
    finding.follow_scores()
    assert pages_proof.follow_moves()["moved"] == 1
    assert not ScoreMove.objects.exists()
