"""Entries follow the scores that moved, whoever races or dies; a slow look finds the rest."""

from datetime import timedelta

import pytest
from django.db import transaction

from marketplace import finding, hiring
from marketplace.models import Listing, SearchEntry
from reputation.models import ScoreMove, StandingScore
from tests import cast, racing
from tests.marketplace.pages.test_showing import offer

pytestmark = pytest.mark.django_db


def offered(bob: cast.Actor, *names: str) -> list[Listing]:
    """Measured offers, followed."""
    listings = [offer(bob, name, units=30).listing for name in names]
    finding.follow_scores()
    return listings


def rank(listing: Listing, value: int) -> None:
    StandingScore.objects.filter(version_id=listing.agent_version_id).update(rank=value)


def ranks() -> list[int | None]:
    return list(SearchEntry.objects.order_by("opened_at", "pk").values_list("rank", flat=True))


def test_only_what_moved_is_compared_and_the_slow_look_finds_what_nobody_noted() -> None:
    one, two = offered(cast.bob(), "One", "Two")
    rank(one, 77)
    SearchEntry.objects.filter(pk=two.pk).update(rank=5)  # wrong, and nobody noted it
    assert finding.follow_scores() == 1
    assert ranks() == [77, 5]
    assert finding.follow_scores() == 0
    assert finding.compare_scores() == 1
    assert ranks()[1] != 5
    assert finding.compare_scores() == 0


def test_a_score_that_was_only_looked_at_again_has_not_moved() -> None:
    (one,) = offered(cast.bob(), "One")
    assert not ScoreMove.objects.exists()
    scores = StandingScore.objects.filter(version_id=one.agent_version_id)
    scores.update(scored_at=scores.get().scored_at + timedelta(hours=1), units=99)
    assert not ScoreMove.objects.exists()
    scores.update(rank=scores.get().rank)
    assert not ScoreMove.objects.exists()
    for change in ({"rank": None}, {"score_bps": 1}, {"bounds": {"x": 1}}, {"measured_at": None}):
        scores.update(**change)
        assert finding.follow_scores() == 1, change


@pytest.mark.django_db(transaction=True)
def test_a_follower_that_dies_between_batches_leaves_the_rest_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listings = offered(cast.bob(), "One", "Two", "Three")
    for number, listing in enumerate(listings):
        rank(listing, 70 + number)
    monkeypatch.setattr(finding, "FOLLOWED_AT_ONCE", 1)
    follow, batches = finding._follow_some, iter((True, False))

    def dying(last: int) -> int | None:
        if next(batches):
            return follow(last)
        raise MemoryError

    monkeypatch.setattr(finding, "_follow_some", dying)
    with pytest.raises(MemoryError):
        finding.follow_scores()
    assert ranks()[0] == 70
    assert ScoreMove.objects.count() == 2
    monkeypatch.setattr(finding, "_follow_some", follow)
    assert finding.follow_scores() == 2
    assert ranks() == [70, 71, 72]
    assert not ScoreMove.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_entry_that_is_written_while_its_score_moves_is_compared_once_more() -> None:
    (one,) = offered(cast.bob(), "One")
    hiring.pause_listing(listing=one)
    finding.follow_scores()

    def move() -> int:
        rank(one, 77)
        return finding.follow_scores()

    with transaction.atomic():
        hiring.resume_listing(listing=one)  # with the score of now, and nobody sees it yet
        assert racing.in_parallel(1, move) == [0]
        assert not ScoreMove.objects.exclude(version_id=one.agent_version_id).exists()
    assert ranks() != [77]
    assert finding.follow_scores() == 1
    assert ranks() == [77]


@pytest.mark.django_db(transaction=True)
def test_a_score_that_moves_and_is_not_committed_is_followed_afterwards() -> None:
    (one,) = offered(cast.bob(), "One")
    with transaction.atomic():
        rank(one, 77)
        assert racing.in_parallel(1, finding.follow_scores) == [0]
    assert finding.follow_scores() == 1


@pytest.mark.django_db(transaction=True)
def test_followers_and_movers_at_once_end_with_the_last_score() -> None:
    listings = offered(cast.bob(), "One", "Two", "Three", "Four")
    turns = iter(range(100, 200))

    def move_and_follow() -> int:
        for listing in listings:
            rank(listing, next(turns))
        return finding.follow_scores() + finding.compare_scores()

    done = racing.in_parallel(4, move_and_follow)
    assert all(isinstance(one, int) for one in done), done
    assert finding.compare_scores() == 0
    assert not ScoreMove.objects.exists()
