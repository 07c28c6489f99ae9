"""What a search finds, in which order, and on which page."""

from datetime import timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.utils.timezone import now as clock
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace import finding, hiring
from marketplace.finding import PER_PAGE, Found, Search, find
from marketplace.models import BenchmarkClaim, Listing, SearchEntry
from marketplace.searches import asking
from pacts.models import Agent
from reputation.clock import database_now
from reputation.models import StandingScore
from tests import cast
from tests.marketplace.pages.browsers import browser
from tests.marketplace.pages.test_showing import offer

pytestmark = pytest.mark.django_db


def names(search: Search, page: int = 1) -> list[str]:
    found = find(search, page=page, now=database_now())
    rows = Listing.objects.select_related("agent").in_bulk(found.listings)
    return [rows[key].agent.name for key in found.listings]


def test_every_word_must_begin_a_word_of_the_offer() -> None:
    bob = cast.bob()
    offer(bob, "Ticket Sorter", units=30)
    offer(bob, "Ticket Reader", units=30)
    assert names(Search(text="tick sort")) == ["Ticket Sorter"]
    assert sorted(names(Search(text="TICKET"))) == ["Ticket Reader", "Ticket Sorter"]
    assert names(Search(text="sorter reader")) == []


def test_a_summary_is_found_by_the_stems_of_its_words() -> None:
    offer(cast.bob(), "Quiet", units=30)
    Agent.objects.update(summary="Classifies incoming letters")
    Listing.objects.update(max_revisions=2)
    assert names(Search(text="classify letter")) == ["Quiet"]


@pytest.mark.parametrize("typed", ["kestrl", "kstrel", "kestel", "Kestral"])
def test_a_slip_of_the_pen_finds_what_is_spelled_like_it(typed: str) -> None:
    if not finding.knows_trigrams():
        pytest.skip("the database has no pg_trgm")
    bob = cast.bob()
    offer(bob, "Kestrel Parser", units=30)
    offer(bob, "Larch Planner", units=30)
    found = find(Search(text=typed), page=1, now=database_now())
    assert found.alike
    assert names(Search(text=typed)) == ["Kestrel Parser"]
    assert "spelled like it" in browser().get(f"/?q={typed}").content.decode()


def test_without_trigrams_words_are_found_as_they_are_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(finding, "knows_trigrams", lambda: False)
    offer(cast.bob(), "Kestrel Parser", units=30)
    assert names(Search(text="kestrel pars")) == ["Kestrel Parser"]
    assert names(Search(text="kestrl")) == []
    page = browser().get("/?q=kestrl").content.decode()
    assert "Without the words" in page


@pytest.mark.parametrize(
    "typed", ["' OR 1=1 --", "a & | ! <-> b:*", "%_\\", "\x00", "(((", "é" * 90]
)
def test_whatever_is_typed_is_a_search_and_not_a_query(typed: str) -> None:
    offer(cast.bob(), "Harmless", units=30)
    assert browser().get("/", {"q": typed}).status_code < 500
    names(Search(text=typed.replace("\x00", "")))


def test_what_is_paused_or_suspended_is_not_found_until_it_is_open_again() -> None:
    listing = offer(cast.bob(), "Sleeper", units=30).listing
    hiring.pause_listing(listing=listing)
    assert names(Search()) == []
    hiring.resume_listing(listing=listing)
    assert names(Search()) == ["Sleeper"]
    Listing.objects.update(state=Listing.State.SUSPENDED)
    assert not SearchEntry.objects.exists()


def test_a_new_claim_moves_the_offer_in_the_order_of_claims_at_once() -> None:
    bob, now = cast.bob(), database_now()
    first = offer(bob, "First", units=30, claim_bps=9_000)
    offer(bob, "Second", units=30, claim_bps=8_000)
    assert names(Search(sort="benchmark")) == ["First", "Second"]
    for agent, bps, days in ((first, 9_900, 1), (first, 7_000, 0)):
        hiring.record_claim(
            agent_version=agent.listing.agent_version,
            benchmark="Clean set",
            score_bps=bps,
            units=100,
            method="Share of right answers.",
            not_measured="Noise.",
            ran_by=BenchmarkClaim.Runner.BUILDER,
            measured_on=(now - timedelta(days=days)).date(),
            now=clock(),
        )
    assert names(Search(sort="benchmark")) == ["Second", "First"]


def test_offers_are_filtered_by_price_protocol_language_age_and_a_dimension() -> None:
    bob, now = cast.bob(), database_now()
    offer(bob, "Measured", units=3_000)
    offer(bob, "Unmeasured", units=0)
    Listing.objects.filter(agent__name="Measured").update(price=500, languages=["de"])
    everything, only = {"Measured", "Unmeasured"}, ["Measured"]
    assert set(names(Search(language="de"))) == everything, "no language is any language"
    assert names(Search(language="fr")) == ["Unmeasured"]
    assert names(Search(currency="EUR", most=500)) in (only, [])
    assert names(Search(most=500)) == only
    assert names(Search(protocol="a2a/1")) == []
    assert names(Search(fresh_days=30)) == only
    assert names(Search(floors={"accuracy": 8_000})) == only
    assert names(Search(floors={"accuracy": 10_000})) == []
    assert names(Search(floors={"safety": 1})) == []
    later = now + timedelta(days=400)
    assert find(Search(fresh_days=30), page=1, now=later).count == 0


def test_a_newcomer_stands_on_every_sixth_place_and_all_are_shown_once() -> None:
    bob = cast.bob()
    for number in range(30):
        offer(bob, f"Old {number:02}", units=30)
    for number in range(7):
        offer(bob, f"New {number}", units=0)
    first, second = names(Search()), names(Search(), page=2)
    assert [place for place, name in enumerate(first, 1) if name[:3] == "New"] == [6, 12, 18, 24]
    assert len(first) == PER_PAGE
    assert len(second) == 37 - PER_PAGE
    assert len({*first, *second}) == 37


@settings(max_examples=60, deadline=None)
@given(many=st.integers(0, 70), few=st.integers(0, 30))
def test_pages_show_each_offer_once_whatever_there_is_of_both_kinds(many: int, few: int) -> None:
    ranked, new = [f"r{n}" for n in range(many)], [f"n{n}" for n in range(few)]
    shown: list[str] = []
    for start in range(0, many + few, PER_PAGE):
        cuts = finding.places(start, many, few)
        shown += finding.interleaved(ranked[slice(*cuts[0])], new[slice(*cuts[1])], start)
    assert sorted(shown) == sorted(ranked + new)
    assert [one for one in shown if one in set(ranked)] == ranked
    both_last = min(6 * few, many + many // 5)
    fresh = [place for place, one in enumerate(shown[:both_last], 1) if one.startswith("n")]
    assert fresh == [place for place in range(1, both_last + 1) if place % 6 == 0]


def test_newcomers_are_drawn_anew_each_day_and_stay_during_one() -> None:
    bob, now = cast.bob(), database_now()
    for number in range(12):
        offer(bob, f"New {number}", units=0)
    orders = {
        tuple(find(Search(), page=1, now=now + timedelta(days=days)).listings) for days in range(8)
    }
    assert len(orders) > 1
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    late = midnight + timedelta(hours=23, minutes=59)
    day = [find(Search(), page=1, now=at).listings for at in (midnight, late)]
    assert day[0] == day[1]


def test_an_address_is_read_as_it_was_written() -> None:
    offer(cast.bob(), "Any", units=30)
    currency = SearchEntry.objects.get().currency
    search = Search(
        text="sorter",
        work="tickets",
        least=9_000,
        floors={"safety": 8_000},
        fresh_days=7,
        most=12_345,
        currency=currency,
        protocol="a2a/1",
        language="de",
        sort="price",
    )
    kept = asking.read(QueryDict(asking.written(search)))
    assert kept == asking.search_of(finding.query_of(search))


def test_an_address_that_asks_for_nonsense_asks_for_nothing() -> None:
    page = browser().get(
        "/?least=1&fresh=x&most=-5&currency=XXX&protocol=p&language=q&sort=z&page=zz&floor=a:b"
    )
    assert page.status_code == 200


def test_the_page_after_the_last_is_the_last() -> None:
    offer(cast.bob(), "Only", units=30)
    found = find(Search(), page=99, now=database_now())
    assert isinstance(found, Found)
    assert (found.page, len(found.listings)) == (1, 1)


def test_entries_are_written_again_from_the_rows_and_are_the_same() -> None:
    bob = cast.bob()
    for number in range(3):
        offer(bob, f"Agent {number}", units=30 * number)
    kept = list(SearchEntry.objects.order_by("pk").values())
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM marketplace_searchentry")
    assert finding.write_entries() == 3
    assert list(SearchEntry.objects.order_by("pk").values()) == kept
    assert StandingScore.objects.count() == 2


def test_what_changed_lengthens_no_search_until_a_vacuum_comes() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT index.relname, index.reloptions FROM pg_class AS index"
            "  JOIN pg_am AS method ON method.oid = index.relam AND method.amname = 'gin'"
            "  JOIN pg_index AS of ON of.indexrelid = index.oid"
            " WHERE of.indrelid = 'marketplace_searchentry'::regclass"
        )
        found = dict(cursor.fetchall())
    assert "entry_by_text" in found
    assert all(options == ["fastupdate=off"] for options in found.values()), found
