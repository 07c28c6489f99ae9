"""Searches that are kept: told of what changed, once, to whoever keeps them."""

from datetime import datetime, timedelta
from itertools import product

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from marketplace import finding, hiring
from marketplace.finding import Search
from marketplace.models import (
    EntryBefore,
    Listing,
    Mail,
    News,
    Notice,
    SavedSearch,
    SearchChange,
    SearchEntry,
)
from marketplace.notices import choices, mailing, saying
from marketplace.searches import saving, telling, watching
from marketplace.searches.saving import SearchRefused
from reputation.clock import database_now
from tests import cast, racing
from tests.marketplace.pages.test_showing import offer

pytestmark = pytest.mark.django_db


def kept(user: cast.Actor, name: str = "Mine", **asks: object) -> SavedSearch:
    search = Search(**asks) if asks else Search(work="arithmetic")  # type: ignore[arg-type]
    return saving.save(user=user.user, name=name, search=search, now=database_now())


def listed(bob: cast.Actor, name: str, *, units: int = 0, **changes: object) -> Listing:
    """An offer of bob's, looked at."""
    listing = offer(bob, name, units=units).listing
    if changes:
        Listing.objects.filter(pk=listing.pk).update(**changes)
    watching.look(now=database_now())
    listing.refresh_from_db()
    return listing


def changes(search: SavedSearch) -> list[tuple[str, bool, str]]:
    rows = search.changes.select_related("listing__agent").order_by("id")
    return [(row.listing.agent.name, row.fits, row.reason) for row in rows]


def titles(user: cast.Actor) -> list[str]:
    return [saying.title(row.news) for row in Notice.objects.filter(user=user.user).order_by("id")]


def look_and_tell(now: datetime | None = None) -> int:
    now = now or database_now()
    watching.look(now=now)
    return telling.tell(now=now)


def test_a_search_saved_now_tells_nothing_of_what_was_there_before() -> None:
    bob, alice = cast.bob(), cast.alice()
    offer(bob, "Old")
    search = kept(alice)
    assert look_and_tell() == 0
    assert (changes(search), titles(alice)) == ([], [])


def test_what_newly_fits_is_told_once_in_the_app_and_by_mail() -> None:
    bob, alice = cast.bob(), cast.alice()
    search = kept(alice)
    offer(bob, "New")
    assert look_and_tell() == 1
    assert changes(search) == [("New", True, "offer")]
    assert titles(alice) == ["1 agent newly fits “Mine”"]
    news = News.objects.get(topic="search")
    assert (news.path, news.party, news.evidence) == (f"/searches/{search.pk}/", None, None)
    assert mailing.message_to(alice.user, list(Mail.objects.all()), database_now()).subject == (
        "1 agent newly fits “Mine”"
    )
    for _ in range(3):
        assert look_and_tell(database_now() + timedelta(hours=2)) == 0
    assert len(titles(alice)) == 1


def test_only_the_one_who_keeps_it_is_told() -> None:
    bob, alice, mallory = cast.bob(), cast.alice(), cast.mallory()
    kept(alice)
    cast.actor("staff", is_staff=True)
    offer(bob, "New")
    look_and_tell()
    assert set(Notice.objects.values_list("user_id", flat=True)) == {alice.user.pk}
    assert titles(mallory) == []


def test_who_wants_no_word_gets_none_and_the_changes_are_there_all_the_same() -> None:
    bob, alice = cast.bob(), cast.alice()
    for channel in ("app", "mail"):
        choices.choose(
            user=alice.user, topic="search", channel=channel, wanted=False, now=database_now()
        )
    search = kept(alice)
    offer(bob, "New")
    look_and_tell()
    assert not News.objects.filter(topic="search").exists()
    assert changes(search) == [("New", True, "offer")]


def test_a_listing_that_is_paused_and_resumed_before_anybody_looked_changes_nothing() -> None:
    bob, alice = cast.bob(), cast.alice()
    listing = listed(bob, "Sleeper")
    search = kept(alice)
    hiring.pause_listing(listing=listing)
    hiring.resume_listing(listing=listing)
    assert look_and_tell() == 0
    assert changes(search) == []


def test_a_pause_that_was_told_is_told_to_be_over() -> None:
    bob, alice = cast.bob(), cast.alice()
    listing = listed(bob, "Sleeper")
    search, now = kept(alice), database_now()
    hiring.pause_listing(listing=listing)
    look_and_tell(now)
    hiring.resume_listing(listing=listing)
    look_and_tell(now + timedelta(hours=2))
    assert changes(search) == [("Sleeper", False, "offer"), ("Sleeper", True, "offer")]
    assert titles(alice) == ["1 agent no longer fits “Mine”", "1 agent newly fits “Mine”"]


def test_a_price_that_goes_back_before_it_was_told_takes_the_change_back() -> None:
    bob, alice = cast.bob(), cast.alice()
    listing = listed(bob, "Swinger", price=1_000)
    search, now = kept(alice, most=1_500, currency="EUR"), database_now()
    offer(bob, "Another")  # told, so that what follows waits for an hour
    look_and_tell(now)
    for price in (2_000, 1_000, 2_000, 1_000):
        Listing.objects.filter(pk=listing.pk).update(price=price)
        watching.look(now=now + timedelta(minutes=1))
    assert changes(search) == [("Another", True, "offer")]
    Listing.objects.filter(pk=listing.pk).update(price=2_000)
    look_and_tell(now + timedelta(hours=2))
    assert changes(search)[1:] == [("Swinger", False, "price")]
    row = search.changes.get(listing=listing)
    assert (row.price_before, row.price, row.currency) == (1_000, 2_000, "EUR")


def test_what_comes_within_the_hour_is_told_together_at_its_end() -> None:
    bob, alice = cast.bob(), cast.alice()
    kept(alice)
    first = listed(bob, "First")
    now = database_now()
    telling.tell(now=now)
    offer(bob, "Second")
    offer(bob, "Third")
    hiring.pause_listing(listing=first)
    assert look_and_tell(now + timedelta(minutes=59)) == 0
    assert look_and_tell(now + timedelta(minutes=61)) == 1
    assert titles(alice)[1:] == ["2 agents newly fit “Mine”, 1 no longer"]


def test_what_its_keeper_has_seen_is_not_told() -> None:
    bob, alice = cast.bob(), cast.alice()
    search = kept(alice)
    listed(bob, "Seen")
    saving.see(search=search, now=database_now())
    assert telling.tell(now=database_now()) == 0


def test_new_is_what_the_last_look_saw_first_however_often_one_looks() -> None:
    bob, alice, now = cast.bob(), cast.alice(), database_now()
    search = kept(alice)
    listed(bob, "First")
    saving.see(search=search, now=now + timedelta(minutes=1))
    again = saving.see(search=search, now=now + timedelta(minutes=2))
    assert again.looked_at == now + timedelta(minutes=1)
    assert [row.listing.agent.name for row in search.changes.filter(seen_at=again.looked_at)] == [
        "First"
    ]
    listed(bob, "Second")
    assert [row.unseen for row in saving.with_news(saving.searches_of(alice.user))] == [1]  # type: ignore[attr-defined]
    last = saving.see(search=search, now=now + timedelta(minutes=3))
    assert [row.listing.agent.name for row in search.changes.filter(seen_at=last.looked_at)] == [
        "Second"
    ]


def test_a_bound_that_is_crossed_is_told_and_one_that_only_moves_is_not() -> None:
    bob, alice = cast.bob(), cast.alice()
    listing = listed(bob, "Climber", units=200)
    entry = SearchEntry.objects.filter(pk=listing.pk)
    score = entry.get().score_bps or 0
    search = kept(alice, least=9_000)
    named = kept(alice, "By dimension", floors={"accuracy": 9_500})
    entry.update(score_bps=score + 1, bounds={"accuracy": 9_499})
    look_and_tell()
    assert changes(search) == changes(named) == []
    entry.update(score_bps=9_000, bounds={"accuracy": 9_500})
    look_and_tell()
    assert changes(search) == [("Climber", True, "bound")]
    assert changes(named) == [("Climber", True, "bound")]


def test_a_measurement_grows_too_old_by_time_alone() -> None:
    bob, alice = cast.bob(), cast.alice()
    listed(bob, "Aged", units=200)
    search, now = kept(alice, fresh_days=7), database_now()
    assert look_and_tell(now + timedelta(days=6)) == 0
    assert look_and_tell(now + timedelta(days=8)) == 1
    assert look_and_tell(now + timedelta(days=9)) == 0
    assert changes(search) == [("Aged", False, "age")]
    SearchEntry.objects.update(measured_at=now + timedelta(days=9))
    look_and_tell(now + timedelta(days=10))
    assert changes(search)[1:] == [("Aged", True, "age")]


def test_a_search_that_ended_tells_nothing_more_and_forgets_what_waited() -> None:
    bob, alice = cast.bob(), cast.alice()
    search = kept(alice)
    listed(bob, "Untold")
    saving.end(search=search, now=database_now())
    offer(bob, "Later")
    assert look_and_tell() == 0
    assert changes(search) == []
    assert saving.end(search=search, now=database_now()).ended_at is not None


@pytest.mark.parametrize(
    ("name", "asks", "why"),
    [
        ("", {"work": "x"}, "give the search a name"),
        ("n" * 81, {"work": "x"}, "at most 80"),
        ("Mine", {"work": "x"}, "already keep"),
        ("All", {"sort": "price"}, "leaves nothing out"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_what_to_do(
    name: str, asks: dict[str, str], why: str
) -> None:
    alice = cast.alice()
    kept(alice)
    with pytest.raises(SearchRefused, match=why):
        saving.save(user=alice.user, name=name, search=Search(**asks), now=database_now())  # type: ignore[arg-type]
    assert SavedSearch.objects.count() == 1


def test_a_name_is_free_again_once_its_search_ended_and_there_is_a_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alice = cast.alice()
    saving.end(search=kept(alice), now=database_now())
    search = kept(alice)
    assert saving.rename(search=search, name="  Other   name ").name == "Other name"
    monkeypatch.setattr(saving, "MOST_SAVED", 1)
    with pytest.raises(SearchRefused, match="end one first"):
        kept(alice, "Two")


def test_the_database_fits_as_the_market_filters() -> None:
    """The same offers under the same searches: what a look calls fitting, a search finds."""
    bob, alice, now = cast.bob(), cast.alice(), database_now()
    for number, (units, price, languages) in enumerate(
        product((0, 30, 3_000), (500, 2_000), ([], ["de"]))
    ):
        listing = offer(bob, f"Agent {number} sorter", units=units).listing
        Listing.objects.filter(pk=listing.pk).update(price=price, languages=languages)
    asked = [
        Search(text="sort agent"),
        Search(text="nothing"),
        Search(text="agent 3"),
        Search(work="arithmetic", most=1_000, currency="EUR"),
        Search(work="other"),
        Search(most=1_000),
        Search(currency="USD"),
        Search(least=5_000),
        Search(least=9_000, language="de"),
        Search(language="fr"),
        Search(floors={"accuracy": 7_000}),
        Search(floors={"accuracy": 7_000, "safety": 5_000}),
        Search(fresh_days=7),
        Search(protocol="a2a/1"),
        Search(protocol="earnest-json/1", fresh_days=1, text="agent"),
    ]
    searches = [
        kept(alice, str(number), **finding.query_of(one)) for number, one in enumerate(asked)
    ]
    with connection.cursor() as cursor:
        for one, search in zip(asked, searches, strict=True):
            fits = watching.FITS.format(e="entry", at="%(now)s")
            cursor.execute(
                "SELECT entry.listing_id FROM marketplace_searchentry AS entry, "
                f"marketplace_savedsearch AS saved WHERE saved.id = %(id)s AND {fits}",
                {"id": search.pk, "now": now},
            )
            found = {row[0] for row in cursor.fetchall()}
            exact, alike = finding.spelled(one, now=now)
            assert found == (set() if alike else {entry.pk for entry in exact}), one


def test_a_thousand_searches_cost_a_look_as_many_statements_as_one() -> None:
    bob, alice = cast.bob(), cast.alice()
    first = kept(alice)

    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            look_and_tell(database_now() + timedelta(hours=2))
        return len(queries)

    offer(bob, "One")
    one = statements()
    copies = [SavedSearch(**{**vars_of(first), "name": f"Copy {n}"}) for n in range(999)]
    SavedSearch.objects.bulk_create(copies)
    offer(bob, "Two")
    many = statements()
    assert SearchChange.objects.filter(listing__agent__name="Two").count() == 1_000
    assert Notice.objects.count() == 1 + telling.AT_ONCE
    assert many <= one + 3, "bulk writes come in batches, and nothing else grows"
    assert not EntryBefore.objects.exists()


def vars_of(search: SavedSearch) -> dict[str, object]:
    fields = [field.attname for field in SavedSearch._meta.concrete_fields]
    return {name: getattr(search, name) for name in fields if name != "id"}


@pytest.mark.django_db(transaction=True)
def test_two_looks_and_two_words_at_once_tell_once() -> None:
    bob, alice = cast.bob(), cast.alice()
    search = kept(alice)
    for number in range(3):
        offer(bob, f"Agent {number}")
    racing.in_parallel(4, look_and_tell)
    assert len(changes(search)) == 3
    assert len(titles(alice)) == 1
    assert Mail.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_change_that_commits_while_somebody_looks_is_seen_by_the_next_look() -> None:
    bob, alice = cast.bob(), cast.alice()
    listing = listed(bob, "Slow")
    search = kept(alice, most=1_500, currency="EUR")
    with transaction.atomic():
        Listing.objects.filter(pk=listing.pk).update(price=9_000)
        assert racing.in_parallel(1, look_and_tell) == [0]
        assert changes(search) == []
    look_and_tell()
    assert changes(search) == [("Slow", False, "price")]
