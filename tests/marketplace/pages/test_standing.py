"""From a number to the evidence that moved it; the market's order, as the database keeps it."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now as clock

from marketplace import finding
from marketplace.finding import Search
from marketplace.pages import market_view
from pacts import registry
from reputation import scores, sequencer, standings
from reputation.models import BuyerStanding, StandingScore
from settlement import escrow as escrows
from tests import cast
from tests.marketplace.pages.browsers import browser
from tests.marketplace.pages.test_showing import offer, text_of
from tests.reputation.cast import clause, record, settlement, verdict
from tests.settlement.hires import START, funded

pytestmark = pytest.mark.django_db


def catch_up() -> None:
    while sequencer.sequence_batch():
        pass
    while standings.update_standings():
        pass


def judged(name: str = "Seasoned") -> tuple[str, str]:
    """An agent with a settled verdict in the log; the evidence of both."""
    agent = offer(cast.bob(), name)
    version = agent.versions.get()
    (found,) = record(
        verdict(clause(180, 20), agent=agent.id, version=version.id, milestone="mst_1", at=clock())
    )
    (settled,) = record(
        settlement(found.pk, milestone="mst_1", buyer="pty_1", builder="pty_2", at=clock())
    )
    catch_up()
    return found.pk, settled.pk


def test_two_clicks_lead_from_a_number_to_the_evidence_that_moved_it() -> None:
    found, settled = judged()
    first = browser().get("/").content.decode()
    link = re.search(r'href="(/agents/seasoned/standing/)"', first)
    assert link
    second = browser().get(link[1]).content.decode()
    assert f'href="/evidence/{found}/"' in second
    assert f'href="/evidence/{settled}/"' in second
    assert "180 kept, 20 failed" in text_of(second)
    assert found in browser().get(f"/evidence/{found}/").content.decode()


def test_a_program_takes_the_same_two_steps() -> None:
    found, settled = judged()
    agent = browser().get("/api/v1/standings").json()["results"][0]["agent"]
    (point, claim) = browser().get(f"/api/v1/agents/{agent}/standing-history").json()["results"]
    assert (point["evidence"], point["cause"]) == (found, settled)
    assert point["changes"] == {"accuracy": [180, 20]}
    assert claim["kind"] == "claim.recorded"
    five = browser().get(f"/api/v1/agents/{agent}/signals").json()
    assert (five["claim_bps"], five["benchmark_fit_bps"]) == (9_000, 10_000)
    assert (five["compliance_bps"], five["disputes_per_100"]) == (10_000, 0)
    assert five["freshness_seconds"] < 60


def test_evidence_of_unknown_buyers_is_shown_as_provisional() -> None:
    judged()
    assert "provisional" in browser().get("/agents/seasoned/standing/").content.decode()
    assert "provisional" in browser().get("/").content.decode()


def test_a_badge_shows_the_live_value_with_its_age_and_names_nobody() -> None:
    bob = cast.bob()
    offer(bob, "Seasoned", units=200)
    answer = browser().get("/agents/seasoned/badge.svg")
    assert answer["Content-Type"] == "image/svg+xml"
    assert answer["Cache-Control"] == "public, max-age=300"
    shown = answer.content.decode()
    assert re.search(r"at least \d\d\.\d\s%", shown)
    assert "60 minutes ago" in shown or "1 hour ago" in shown
    assert "Seasoned" not in shown
    assert bob.party.name not in shown


def test_a_badge_of_a_newcomer_has_no_number() -> None:
    offer(cast.bob(), "Newcomer", units=19)
    shown = browser().get("/agents/newcomer/badge.svg").content.decode()
    assert ">new<" in shown
    assert "%" not in shown.split("<title>")[1]


def test_a_buyers_record_is_there_before_work_for_it_is_accepted() -> None:
    alice = cast.alice()
    BuyerStanding.objects.create(
        buyer_id=alice.party.id, hires=8, disputes=2, rulings=2, upheld=1, silences=4, ties=3
    )
    page = text_of(browser().get(f"/buyers/{alice.party.id}/").content.decode())
    assert "in 25.0 % of its hires" in page
    assert "1 of 2 overturned" in page
    found = browser().get(f"/api/v1/parties/{alice.party.id}/buyer-standing").json()
    assert (found["dispute_bps"], found["overturn_bps"], found["silence_bps"]) == (2500, 5000, 5000)


def capped() -> str:
    """94 in 100 overall, and 61 in 100 of one promise, which breaches it."""
    agent = offer(cast.bob(), "Uneven")
    version = agent.versions.get()
    clauses = [clause(100, 0, dimension=name) for name in ("accuracy", "format", "scope", "speed")]
    clauses += [clause(100, 0, dimension="honesty"), clause(64, 36, dimension="safety")]
    (found,) = record(
        verdict(*clauses, agent=agent.id, version=version.id, milestone="mst_1", at=clock())
    )
    record(settlement(found.pk, milestone="mst_1", buyer="pty_1", builder="pty_2", at=clock()))
    catch_up()
    return text_of(browser().get("/agents/uneven/standing/").content.decode())


def test_ninety_four_overall_and_sixty_four_in_safety_shows_sixty_four() -> None:
    page = capped()
    assert re.search(r"64\.0 . measured, .* to \d\d\.\d . · 600 units · .* · v1", page)
    assert re.search(r"94\.0 . on average, but a broken promise caps it: Safety", page)


def test_the_five_signals_have_lines_with_a_mark_where_a_version_begins() -> None:
    agent = offer(cast.bob(), "Seasoned")
    first = agent.versions.get()
    second = registry.add_version(
        agent=agent,
        endpoint=first.endpoint,
        protocol=first.protocol,
        declared={"model": "other"},
        max_concurrency=1,
        deadline_ms=1_000,
        now=clock(),
    )
    for number, version in enumerate([first, first, second]):
        (found,) = record(
            verdict(
                clause(180 - number, 20),
                agent=agent.id,
                version=version.id,
                milestone=f"mst_{number}",
                at=clock(),
            )
        )
        record(
            settlement(
                found.pk, milestone=f"mst_{number}", buyer="pty_1", builder="pty_2", at=clock()
            )
        )
    catch_up()
    page = browser().get("/agents/seasoned/standing/").content.decode()
    assert page.count('data-test="signal"') == 5
    compliance = page.split('data-test="signal"')[2]
    assert compliance.count("<polyline") == 2
    assert re.findall(r'class="f-mark"[^>]*>(v\d)<', compliance) == ["v1", "v2"]
    assert "3 changes, each at 100.0" in text_of(compliance)


def test_money_settled_and_bond_stand_beside_the_standing_and_move_no_number_of_it() -> None:
    made = funded(price=10_000, bond=700)
    made.judge("met")
    now = escrows.accept(escrow=made.escrow, by=made.alice.party, now=START + timedelta(hours=1))
    version = made.engagement.agent_version
    five = browser().get(f"/api/v1/agents/{version.agent_id}/signals").json()
    (money,) = five["money"]
    assert (money["currency"], money["hires"], money["settled"]) == ("USD", 1, "10000")
    assert int(money["earned"]) == (now.released or 0) + (now.fee or 0)
    assert five["bond"] is None
    page = browser().get(f"/agents/{version.agent.slug}/standing/").content.decode()
    assert "USD 100.00 in 1 milestone" in text_of(page).replace("\u00a0", " ")
    assert not StandingScore.objects.exists()


# --- the market's order ---------------------------------------------------------------------------


def test_the_database_ranks_exactly_as_the_pure_function_does() -> None:
    bob = cast.bob()
    for number, units in enumerate([0, 19, 20, 45, 200, 3_000]):
        offer(bob, f"Agent {number}", units=units)
    found = finding.find(Search(), page=1, now=clock())
    cards = market_view.cards_of(market_view.listings_in(found.listings), now=clock())
    ranked = [card.name for card in cards if not card.is_new]
    assert ranked == [card.name for card in market_view.by_pact(cards) if not card.is_new]
    assert len(ranked) == 4
    for card in cards:
        score = StandingScore.objects.filter(version_id=card.listing.agent_version_id).first()
        assert (score.score_bps if score else None) == card.lower


def test_a_vouched_standing_ranks_above_a_higher_provisional_one() -> None:
    bob = cast.bob()
    high, low = offer(bob, "High", units=3_000), offer(bob, "Low", units=45)
    StandingScore.objects.filter(agent_id=low.id).update(rank=10_001 + 5_000, is_vouched=True)
    assert finding.follow_scores() == 1
    found = finding.find(Search(), page=1, now=clock())
    agents = [one.agent_id for one in market_view.listings_in(found.listings)]
    assert agents == [low.id, high.id]


def test_offers_are_filtered_by_the_lower_bound_and_not_by_the_estimate() -> None:
    bob = cast.bob()
    offer(bob, "Few", units=20)
    offer(bob, "Many", units=3_000)
    page = browser().get("/?least=8000").content.decode()
    assert page.count('data-test="listing"') == 1
    assert 'data-agent="many"' in page


def test_a_program_orders_and_filters_offers_as_the_page_does() -> None:
    bob = cast.bob()
    for number, units in enumerate([20, 0, 3_000, 45, 0, 200]):
        offer(bob, f"Agent {number}", units=units)
    names, address = [], "/api/v1/listings?ordering=-rank&limit=2"
    while address:
        page = browser().get(address).json()
        names += [one["agent_name"] for one in page["results"]]
        address = page["next"]
    assert names[:4] == ["Agent 2", "Agent 5", "Agent 3", "Agent 0"]
    assert sorted(names[4:]) == ["Agent 1", "Agent 4"]
    (one,) = browser().get("/api/v1/listings?min_score_bps=8300").json()["results"]
    assert one["agent_name"] == "Agent 2"
    assert one["rank"] == one["score_bps"] > 8_300
    found = browser().get(f"/api/v1/listings/{one['id']}").json()
    assert found["score_bps"] == one["score_bps"]


def test_the_turn_of_the_hour_scores_again_what_age_has_changed() -> None:
    offer(cast.bob(), "Seasoned", units=200)
    before = StandingScore.objects.get()
    later = before.scored_at.replace(year=before.scored_at.year + 1)
    assert scores.refresh_due(now=later) == 1
    after = StandingScore.objects.get()
    assert before.score_bps is not None
    assert after.score_bps is not None
    assert after.score_bps < before.score_bps
    assert scores.refresh_due(now=later) == 0


def test_a_page_of_the_market_costs_the_same_however_many_offers_there_are() -> None:
    bob = cast.bob()

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            browser().get("/?sort=pact&q=agent")
        return len(seen)

    offer(bob, "Agent 0", units=30)
    finding.knows_trigrams()  # asked once in a process's life
    few = queries()
    for number in range(1, 6):
        offer(bob, f"Agent {number}", units=30)
    assert queries() == few
