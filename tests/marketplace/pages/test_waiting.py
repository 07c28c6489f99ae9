"""The list of engagements says whose turn it is, as each engagement's own page does."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from marketplace import awaited
from marketplace.pages import engagement_view, waiting
from marketplace.pages.turns import Turn, turn_of
from pacts import engagements
from pacts.models import Dispute, Engagement, Party
from settlement import escrow as escrows
from settlement.settlements import settle
from tests.marketplace.api.programs import program_of
from tests.marketplace.pages.browsers import browser, browser_of
from tests.settlement.hires import START, Hire, funded, hire

pytestmark = pytest.mark.django_db
JUDGED = START + timedelta(hours=1)


def judged(outcome: str) -> Hire:
    made = funded()
    made.judge(outcome, share=10_000 if outcome == "met" else 5_000, at=JUDGED)
    settle(escrow_id=made.escrow.pk, now=JUDGED)
    return made


def disputed() -> Hire:
    made = judged("met")
    escrows.dispute(
        escrow=made.escrow,
        party=made.alice.party,
        by=made.alice.user,
        ground=Dispute.Ground.PERFORMANCE,
        statement="The answers were compared one by one.",
        now=JUDGED,
    )
    return made


def half_signed() -> Hire:
    made = hire(signed=False)
    engagements.sign_engagement(
        engagement=made.engagement,
        party=made.alice.party,
        by=made.alice.user,
        authority="owner",
        now=START,
    )
    return made


def settled() -> Hire:
    made = judged("met")
    escrows.accept(escrow=made.escrow, by=made.alice.party, now=JUDGED)
    return made


def in_list(party: Party) -> Turn | None:
    return waiting.waits_of(engagement_view.engagements_of(party).get(), party=party)


def on_page(party: Party, now: datetime) -> str:
    found = engagement_view.whole_engagements_of(party).get()
    works = engagement_view.works_of(found, party=party, now=now)
    turn = turn_of(found, works, party=party, now=now)
    return turn.whose if turn else ""


@pytest.mark.parametrize(
    ("state", "buyer", "builder"),
    [
        (lambda: hire(signed=False), "you", "you"),
        (half_signed, "they", "you"),
        (hire, "you", "they"),
        (funded, "others", "others"),
        (lambda: judged("met"), "you", "they"),
        (lambda: judged("breached"), "they", "you"),
        (disputed, "they", "you"),
    ],
)
def test_the_list_and_the_page_agree_whose_turn_it_is(
    state: Callable[[], Hire], buyer: str, builder: str
) -> None:
    made = state()
    for party, whose in ((made.alice.party, buyer), (made.bob.party, builder)):
        turn = in_list(party)
        assert turn is not None
        assert (turn.whose, on_page(party, JUDGED)) == (whose, whose)
        rows = engagement_view.engagements_of(party)
        assert awaited.waiting_for(rows, party_id=party.pk).exists() is (whose == "you")
        assert awaited.live(rows).exists()


def test_what_is_over_waits_for_nobody() -> None:
    made = settled()
    for party in (made.alice.party, made.bob.party):
        rows = engagement_view.engagements_of(party)
        assert in_list(party) is None
        assert not awaited.waiting_for(rows, party_id=party.pk).exists()
        assert awaited.over(rows).exists()


def test_a_list_shows_what_waits_for_its_reader_first_and_filters_by_it() -> None:
    made = hire()
    hers = browser_of(made.alice)
    page = hers.get("/engagements/?which=turn").content.decode()
    assert "Your turn, 1" in page
    assert 'data-whose="you"' in page
    assert "engagement-row" not in hers.get("/engagements/?which=over").content.decode()
    assert "engagement-row" in hers.get("/engagements/?which=live&side=buyer").content.decode()
    assert "Your turn, 0" in browser_of(made.bob).get("/engagements/").content.decode()


def test_the_market_begins_with_the_search_for_those_who_know_it_and_says_what_waits() -> None:
    made = hire()
    known = browser_of(made.alice).get("/").content.decode()
    assert "1 engagement waits for you" in known
    assert "A builder signs a pact" not in known
    assert "engagements wait" not in browser_of(made.bob).get("/").content.decode()
    assert "A builder signs a pact" in browser().get("/").content.decode()


def test_a_program_asks_for_what_waits_for_its_party() -> None:
    made = hire()
    found = {
        (who.party.pk, wanted): len(
            program_of(who).get(f"engagements?your_turn={wanted}").json()["results"]
        )
        for who in (made.alice, made.bob)
        for wanted in ("true", "false")
    }
    hers, his = made.alice.party.pk, made.bob.party.pk
    assert found == {(hers, "true"): 1, (hers, "false"): 0, (his, "true"): 0, (his, "false"): 1}


def test_more_engagements_cost_the_list_no_more_queries() -> None:
    made = hire(signed=False)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            browser_of(made.alice).get("/engagements/")
        return len(seen)

    one = queries()
    for number in range(3):
        copy = Engagement.objects.get(pk=made.engagement.pk)
        copy._state.adding = True
        copy.digest = f"sha256:{number:064d}"
        copy.proposed_at = timezone.now()
        copy.id = Engagement._meta.pk.get_default()
        copy.save(force_insert=True)
    assert queries() == one
