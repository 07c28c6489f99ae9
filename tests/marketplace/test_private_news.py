"""What is told in private: whose names are drawn when it is read, and stand in no row."""

from importlib import import_module

import pytest
from django.db import connection
from django.utils import translation
from django.utils.timezone import now as clock

from marketplace import erasure
from marketplace.finding import Search
from marketplace.models import Mail, News, Notice
from marketplace.notices import choices, mailing, privately, saying, telling
from marketplace.notices.phrases import phrase
from marketplace.searches import saving, watching
from marketplace.searches import telling as searches_telling
from pacts.models import Party
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.marketplace.market import one_of_everything
from tests.marketplace.pages.browsers import browser_of
from tests.marketplace.pages.test_showing import offer

pytestmark = pytest.mark.django_db
OFFERS = "{who} offers other terms for {agent}"


def person() -> cast.Actor:
    """Alice, who buys in her own name."""
    alice = cast.alice()
    Party.objects.filter(pk=alice.party.pk).update(kind=Party.Kind.PERSON, name="Alice Private")
    alice.party.refresh_from_db()
    return alice


def told(who: Party, to: cast.Actor) -> News:
    privately.tell(
        party_id=to.party.pk,
        kind="negotiation.countered",
        topic="engagement",
        words=[phrase(OFFERS, agent="Doubler")],
        who=who,
        path="/negotiations/ngt_x/",
        now=clock(),
    )
    return News.objects.get(kind="negotiation.countered")


def stored() -> str:
    """Every row of news, notices and mails as the database has them."""
    tables = ("marketplace_news", "marketplace_notice", "marketplace_mail")
    with connection.cursor() as cursor:
        rows = " UNION ALL ".join(f"SELECT t::text FROM {one} AS t" for one in tables)
        cursor.execute(f"SELECT string_agg(t, ' ') FROM ({rows}) AS all_rows (t)")
        return str(cursor.fetchone()[0])


def test_a_party_is_named_when_its_news_are_read_and_in_no_row() -> None:
    alice, bob = person(), cast.bob()
    news = told(alice.party, bob)
    assert saying.title(news) == "Alice Private offers other terms for Doubler"
    assert "Alice Private" in browser_of(bob).get("/notices/").content.decode()
    (listed,) = program_of(bob).get("notices").json()["results"]
    assert listed["title"] == "Alice Private offers other terms for Doubler"
    assert "Alice Private" not in stored()


def test_after_an_erasure_no_notice_and_no_mail_names_who_was_erased() -> None:
    alice, bob = person(), cast.bob()
    choices.choose(user=bob.user, topic="engagement", channel="mail", wanted=True, now=clock())
    search = saving.save(
        user=alice.user, name="For Alice Private", search=Search(work="arithmetic"), now=clock()
    )
    offer(bob, "New")
    watching.look(now=clock())
    searches_telling.tell(now=clock())
    news = told(alice.party, bob)
    for subject in (alice.party.pk, alice.user.pk):
        erasure.erase(subject_id=subject, reason="request", now=clock())
    assert "Alice Private" not in stored()
    notice = telling.notices_of(bob.user).get(news=news)
    assert saying.title(notice.news) == "Erased offers other terms for Doubler"
    waiting = list(Mail.objects.filter(user=bob.user, news=news))
    assert "Alice" not in str(mailing.message_to(bob.user, waiting, clock()).message())
    of_search = News.objects.get(kind="search.changed")
    assert of_search.search_id == search.pk
    assert saying.title(of_search) == "1 agent newly fits “…”"
    assert saying.title(telling.notices_of(alice.user).get(news=of_search).news) == (
        "1 agent newly fits “…”"
    )


def test_a_mail_that_a_server_refused_says_no_address_of_somebody_erased() -> None:
    alice, bob = person(), cast.bob()
    told(bob.party, alice)
    news = News.objects.get()
    Mail.objects.create(
        news=news, user=alice.user, due_at=clock(), problem=f"refused: {alice.user.email}"
    )
    erasure.erase(subject_id=alice.user.pk, reason="request", now=clock())
    assert alice.user.email not in stored()


def test_a_search_is_named_as_it_is_called_now_and_in_the_readers_language() -> None:
    bob, alice = cast.bob(), cast.alice()
    search = saving.save(
        user=alice.user, name="Old name", search=Search(work="arithmetic"), now=clock()
    )
    for name in ("One", "Two"):
        offer(bob, name)
    watching.look(now=clock())
    searches_telling.tell(now=clock())
    saving.rename(search=search, name="New name")
    (notice,) = telling.notices_of(alice.user)
    assert saying.title(notice.news) == "2 agents newly fit “New name”"
    with translation.override("de"):
        assert "New name" in saying.title(notice.news)
        assert saying.title(notice.news) != "2 agents newly fit “New name”"
        assert saying.in_english(notice.news) == "2 agents newly fit “New name”"


def test_a_page_of_notices_draws_all_names_in_one_query(
    django_assert_max_num_queries: pytest.FixtureRequest,
) -> None:
    alice, bob = cast.alice(), cast.bob()
    for _ in range(5):
        privately.tell(
            party_id=bob.party.pk,
            kind="negotiation.countered",
            topic="engagement",
            words=[phrase(OFFERS, agent="Doubler")],
            who=alice.party,
            path="/negotiations/ngt_x/",
            now=clock(),
        )
    with django_assert_max_num_queries(1):  # type: ignore[operator]
        assert len({saying.title(one.news) for one in telling.notices_of(bob.user)}) == 1


def test_private_news_are_of_their_party_and_in_no_feed() -> None:
    alice, bob = cast.alice(), cast.bob()
    news = told(alice.party, bob)
    assert (news.party, news.evidence, news.index) == (bob.party, None, None)
    assert program_of(bob).get("feed").json()["messages"] == []


def test_who_wants_no_word_in_private_gets_no_row_at_all() -> None:
    alice, bob = cast.alice(), cast.bob()
    for channel in ("app", "mail"):
        choices.choose(
            user=bob.user, topic="engagement", channel=channel, wanted=False, now=clock()
        )
    privately.tell(
        party_id=bob.party.pk,
        kind="negotiation.countered",
        topic="engagement",
        words=[phrase(OFFERS, agent="Doubler")],
        who=alice.party,
        path="/negotiations/ngt_x/",
        now=clock(),
    )
    assert not News.objects.exists()


def test_names_that_old_rows_held_leave_them() -> None:
    market = one_of_everything()
    alice, bob = market.alice, market.bob
    Party.objects.filter(pk=alice.party.pk).update(name="Alice Private")
    old = News.objects.create(
        kind="negotiation.offered",
        topic="engagement",
        title="Alice Private offers other terms for Doubler",
        words=[{"text": OFFERS, "values": {"who": "Alice Private", "agent": "Doubler"}}],
        path=f"/negotiations/{market.ids['negotiation']}/",
        told_at=clock(),
    )
    searched = News.objects.create(
        kind="search.changed",
        topic="search",
        title="1 agent newly fits “Alice Private”",
        path="/searches/ssr_x/",
        told_at=clock(),
    )
    Notice.objects.create(news=old, user=bob.user)
    migration = import_module("marketplace.migrations.0022_names_out_of_news")
    with connection.cursor() as cursor:
        cursor.execute(migration.UNNAMED)
    assert "Alice Private" not in stored()
    old.refresh_from_db()
    searched.refresh_from_db()
    assert (old.party, old.who) == (bob.party, alice.party)
    assert saying.title(old) == "Alice Private offers other terms for Doubler"
    assert saying.title(searched) == "What a search of yours finds has changed"
