"""Looks at what changed: batch by batch, whoever dies in between, and nobody waits for them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from marketplace.models import EntryBefore, Listing, Notice, SavedSearch, SearchEntry
from marketplace.notices import saying
from marketplace.searches import telling, watching
from reputation.clock import database_now
from tests import cast, racing
from tests.marketplace.pages.test_showing import offer
from tests.marketplace.test_saved_searches import changes, kept, listed

pytestmark = pytest.mark.django_db


class Killed(Exception):
    """The worker died here."""


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Batches of one change; the worker dies as it begins the statement of that number."""
    monkeypatch.setattr(watching, "AT_ONCE", 1)
    tell = watching._tell

    def die_at(number: int) -> None:
        left = [number]

        def _tell(*touched: str, **values: Any) -> int:
            left[0] -= 1
            if left[0] == 0:
                raise Killed
            return tell(*touched, **values)

        monkeypatch.setattr(watching, "_tell", _tell)

    return die_at


def said(user: cast.Actor) -> list[str]:
    rows = Notice.objects.filter(user=user.user).order_by("id")
    return [saying.title(row.news) for row in rows]


@pytest.mark.django_db(transaction=True)
def test_a_look_that_dies_between_batches_keeps_what_it_did_and_the_next_does_the_rest(
    dying: Callable[[int], None],
) -> None:
    bob, alice = cast.bob(), cast.alice()
    search, now = kept(alice), database_now()
    for name in ("One", "Two", "Three"):
        offer(bob, name)
    before = set(EntryBefore.objects.values_list("listing_id", flat=True))
    dying(3)  # what grew old, the first batch, and then
    with pytest.raises(Killed):
        watching.look(now=now)
    left = set(EntryBefore.objects.values_list("listing_id", flat=True))
    assert (len(before), len(left)) == (3, 2)
    assert changes(search) == [("One", True, "offer")]
    telling.tell(now=now)
    watching.look(now=now + timedelta(minutes=1))
    telling.tell(now=now + timedelta(hours=2))
    assert [name for name, *_ in changes(search)] == ["One", "Two", "Three"]
    assert said(alice) == ["1 agent newly fits “Mine”", "2 agents newly fit “Mine”"]
    assert not EntryBefore.objects.exists()


def test_what_grew_old_is_told_once_though_the_look_died_after_it(
    dying: Callable[[int], None],
) -> None:
    bob, alice = cast.bob(), cast.alice()
    listed(bob, "Aged", units=200)
    search, now = kept(alice, fresh_days=7), database_now()
    watching.look(now=now)
    late = offer(bob, "Late", units=200).listing  # held in the first batch: too old by then
    offer(bob, "Unmeasured")
    dying(3)
    with pytest.raises(Killed):
        watching.look(now=now + timedelta(days=8))
    assert not EntryBefore.objects.filter(listing_id=late.pk).exists()
    for days in (8, 9, 30):
        watching.look(now=now + timedelta(days=days, minutes=1))
    assert changes(search) == [("Aged", False, "age")]


def test_a_change_that_waited_through_a_look_that_died_is_held_from_when_it_was_last_seen(
    dying: Callable[[int], None],
) -> None:
    bob, alice = cast.bob(), cast.alice()
    first, second = listed(bob, "First", units=200), listed(bob, "Second", units=200)
    search, now = kept(alice, fresh_days=7), database_now()
    watching.look(now=now)
    for listing in (first, second):  # pending, and too old when somebody looks
        SearchEntry.objects.filter(pk=listing.pk).update(score_bps=1)
    dying(3)
    with pytest.raises(Killed):
        watching.look(now=now + timedelta(days=8))
    watching.look(now=now + timedelta(days=9))
    assert changes(search) == [("First", False, "age"), ("Second", False, "age")]


def test_saving_a_search_looks_at_nothing_that_waits_however_much_it_is() -> None:
    bob, alice = cast.bob(), cast.alice()
    old = kept(alice)
    for name in ("One", "Two"):
        offer(bob, name)
    waiting = list(EntryBefore.objects.values_list("pk", flat=True).order_by("pk"))
    with CaptureQueriesContext(connection) as few:
        search = kept(alice, "New", work="arithmetic")
    assert list(EntryBefore.objects.values_list("pk", flat=True).order_by("pk")) == waiting
    assert not any("savedsearch AS saved" in one["sql"] for one in few.captured_queries)
    offer(bob, "Three")
    watching.look(now=database_now())
    assert [name for name, *_ in changes(old)] == ["One", "Two", "Three"]
    assert changes(search) == [("Three", True, "offer")]
    assert not SavedSearch.objects.exclude(begun=None).exists()


def test_a_search_is_held_against_offers_as_they_were_when_it_was_saved() -> None:
    bob, alice = cast.bob(), cast.alice()
    cheap, dear = listed(bob, "Cheap", price=1_000), listed(bob, "Dear", price=9_000)
    Listing.objects.filter(pk=cheap.pk).update(price=2_000)  # nobody has looked at that yet
    Listing.objects.filter(pk=dear.pk).update(price=1_200)
    search = kept(alice, most=1_500, currency="EUR")
    Listing.objects.filter(pk=cheap.pk).update(price=1_000)
    watching.look(now=database_now())
    assert changes(search) == [("Cheap", True, "price")]
    Listing.objects.filter(pk=dear.pk).update(price=9_000)
    watching.look(now=database_now())
    assert changes(search)[1:] == [("Dear", False, "price")]


def test_a_search_saved_lately_is_not_told_what_was_too_old_when_it_was_saved() -> None:
    bob, alice = cast.bob(), cast.alice()
    listed(bob, "Aged", units=200)
    search = kept(alice, fresh_days=7)
    later = database_now() + timedelta(days=10)
    SavedSearch.objects.filter(pk=search.pk).update(saved_at=later, begun={})
    SavedSearch.objects.filter(pk=search.pk).update(begun={"snapshot": "1:1:", "xid": 1, "last": 0})
    watching.look(now=later + timedelta(minutes=1))
    assert changes(search) == []


@pytest.mark.django_db(transaction=True)
def test_what_was_under_way_when_a_search_was_saved_is_news_to_it() -> None:
    bob, alice = cast.bob(), cast.alice()
    listing = listed(bob, "Slow", price=1_000)
    another = listed(bob, "Other", price=1_000)
    Listing.objects.filter(pk=another.pk).update(price=900)  # waits, so that it has a beginning
    with transaction.atomic():
        Listing.objects.filter(pk=listing.pk).update(price=9_000)
        (search,) = racing.in_parallel(1, lambda: kept(alice, most=1_500, currency="EUR"))
        assert search.begun
    watching.look(now=database_now())
    assert changes(search) == [("Slow", False, "price")]


@pytest.mark.django_db(transaction=True)
def test_nobody_who_changes_a_listing_or_saves_a_search_waits_for_a_look() -> None:
    bob, alice = cast.bob(), cast.alice()
    search = kept(alice, most=1_500, currency="EUR")
    listing = listed(bob, "Quick", price=1_000)
    assert changes(search) == [("Quick", True, "offer")]
    Listing.objects.filter(pk=listing.pk).update(price=1_100)

    def change() -> str:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            Listing.objects.filter(pk=listing.pk).update(price=9_000)
            kept(cast.actor("dora"))
        return "done"

    with transaction.atomic():
        watching.look(now=database_now())
        assert racing.in_parallel(1, change) == ["done"]
    watching.look(now=database_now())
    assert changes(search) == [], "untold, it was taken back"


@pytest.mark.django_db(transaction=True)
def test_what_changes_after_saving_in_one_transaction_is_news_whoever_else_is_done_by_then() -> (
    None
):
    bob, alice = cast.bob(), cast.alice()
    cheap = listed(bob, "Cheap", price=1_000)
    with transaction.atomic():
        Listing.objects.filter(pk=cheap.pk).update(price=2_000)
        racing.in_parallel(1, cast.mallory)  # begins later, and is over sooner
        search = kept(alice, most=1_500, currency="EUR")
        Listing.objects.filter(pk=cheap.pk).update(price=1_000)
    watching.look(now=database_now())
    assert changes(search) == [("Cheap", True, "price")]
