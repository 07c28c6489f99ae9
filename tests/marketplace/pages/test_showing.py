"""What pages show of strangers' words and of measured numbers, and what showing it costs."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now as clock

from marketplace import finding, hiring
from marketplace.models import BenchmarkClaim
from pacts.engagements import Timers
from pacts.models import Agent, Artifact, Observation, Trial
from reputation import scores
from reputation.canonical import sha256
from reputation.models import Standing
from reputation.tallies import METHOD, weight
from settlement.receipts import verify
from tests import cast
from tests.marketplace.market import one_of_everything
from tests.marketplace.pages.browsers import browser, browser_of
from tests.settlement import hires

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script><b>& more"


def offer(bob: cast.Actor, name: str, *, units: int = 0, claim_bps: int = 9_000) -> Agent:
    """A listed agent with a claim and, with `units`, a standing that is nine tenths right."""
    version = cast.agent_of(bob, name=name)
    Agent.objects.filter(pk=version.agent_id).update(control_proved_at=clock())
    version.agent.refresh_from_db()
    hiring.open_listing(
        agent_version=version,
        pact_version=cast.pact_of(version, bob),
        price=1_000,
        currency="EUR",
        timers=Timers(),
        by=bob.user,
        now=clock(),
    )
    hiring.record_claim(
        agent_version=version,
        benchmark="Sums",
        score_bps=claim_bps,
        units=100,
        method="exact match",
        not_measured="words",
        ran_by=BenchmarkClaim.Runner.BUILDER,
        measured_on=clock().date(),
        now=clock(),
    )
    if units:
        _stand(version.agent_id, version.id, units)
    return version.agent


def _stand(agent_id: str, version_id: str, units: int) -> None:
    at = clock() - timedelta(hours=1)
    failures = units // 10
    Standing.objects.create(
        agent_id=agent_id,
        version_id=version_id,
        dimension="accuracy",
        method=METHOD,
        verdicts=1,
        passes=units - failures,
        failures=failures,
        decayed_passes=(units - failures) * weight(at),
        decayed_failures=failures * weight(at),
        promise_bps=9_000,
        floor_bps=8_000,
        first_evidence_at=at,
        last_evidence_at=at,
    )
    scores.refresh([version_id], now=clock())
    finding.follow_scores()


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_under_twenty_units_there_is_a_mark_and_no_number() -> None:
    offer(cast.bob(), "Newcomer", units=19)
    card = browser().get("/").content.decode().split('data-test="listing"')[1]
    kept = card.split('data-test="kept"')[1].split("</li>")[0]
    assert "pill-new" in kept
    assert "19 of 20 units" in text_of(kept)
    assert "%" not in kept


def test_a_number_never_stands_without_its_interval_units_age_and_version() -> None:
    offer(cast.bob(), "Seasoned", units=200)
    page = browser().get("/agents/seasoned/").content.decode()
    shown = page.split('data-rate="accuracy"')[1].split("</div> </div>")[0]
    line = text_of(shown)
    assert "90.0" in line
    assert re.search(r"\d+\.\d % to \d+\.\d %", line)
    assert "200 units" in line
    assert "60 minutes ago" in line or "1 hour ago" in line
    assert "v1" in line


def test_benchmark_order_and_pact_order_are_two_orders() -> None:
    bob = cast.bob()
    offer(bob, "Loud", units=30, claim_bps=9_900)
    offer(bob, "Steady", units=2_000, claim_bps=7_000)
    story = browser().get("/").content.decode().split('data-test="story"')[1]
    left, right = re.findall(r"<ol>(.*?)</ol>", story, re.DOTALL)[:2]
    assert left.index("Loud") < left.index("Steady")
    assert right.index("Steady") < right.index("Loud")
    assert "Loud leads on its benchmark. On buyers’ own tasks Steady does." in text_of(story)


def test_search_finds_by_name_builder_and_kind_and_says_when_it_found_nothing() -> None:
    offer(cast.bob(), "Needle")
    for asked in ("need", "BOB", "arith", "needle bob"):
        assert 'data-agent="needle"' in browser().get("/", {"q": asked}).content.decode()
    assert "No agent matches" in browser().get("/", {"q": "haystack"}).content.decode()
    assert browser().get("/", {"q": "' OR 1=1 --", "page": "x", "sort": "?"}).status_code == 200


def test_names_and_statements_of_strangers_are_words_and_nothing_else() -> None:
    market = one_of_everything()
    Agent.objects.update(name=HOSTILE, summary=HOSTILE)
    market.bob.party.name = HOSTILE
    market.bob.party.save()
    hers = browser_of(market.alice)
    engagement, dispute = market.ids["engagement"], market.ids["dispute"]
    for path in (
        "/",
        "/agents/doubler/",
        "/agents/doubler/hire/",
        "/engagements/",
        f"/engagements/{engagement}/",
        f"/disputes/{dispute}/",
        f"/receipts/{market.ids['receipt']}/",
    ):
        page = hers.get(path).content.decode()
        assert "&lt;script&gt;alert(1)" in page, path
        assert "<script>alert" not in page, path
        assert "<b>&" not in page, path


def test_answers_of_agents_are_escaped_and_clipped() -> None:
    hire = hires.funded()
    hire.judge("breached", share=0)
    body = (HOSTILE + "x" * 90_000).encode()
    Artifact.objects.create(digest=sha256(body), body=body, size=len(body))
    evaluation = hire.delivery.evaluation
    trial = Trial.objects.create(
        evaluation=evaluation,
        task=evaluation.task_set_version.tasks.all()[0],
        repeat=7,
        position=99,
        state="done",
        output_digest=sha256(body),
    )
    Observation.objects.create(
        trial=trial,
        clause="accuracy",
        check_kind="equality",
        check_version=1,
        outcome="fail",
        value=0,
        reason=HOSTILE,
    )
    there = f"/milestones/{hire.milestone.id}/failing/"
    page = browser_of(hire.alice).get(there).content.decode()
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;") == 2
    assert "characters in all" in page
    assert len(page) < 30_000
    public = browser().get("/agents/doubler/").content.decode()
    assert "alert(1)" not in public


def test_the_live_part_answers_nothing_until_something_changed() -> None:
    hire = hires.funded()
    hers = browser_of(hire.alice)
    there = f"/engagements/{hire.engagement.id}/live/"
    page = hers.get(there).content.decode()
    seen = re.findall(r"seen=([0-9a-f]{16})", page)[0]
    assert 'hx-trigger="every 1500ms"' in page
    assert hers.get(there, {"seen": seen}).status_code == 204
    hire.judge("met")
    changed = hers.get(there, {"seen": seen})
    assert 'data-outcome="met"' in changed.content.decode()


def test_a_settled_engagement_is_not_asked_about_again() -> None:
    market = one_of_everything()
    hers = browser_of(market.alice)
    settled = hers.get(f"/receipts/{market.ids['receipt']}/").content.decode()
    engagement = re.findall(r"/engagements/(eng_[0-9a-z]+)/", settled)[0]
    page = hers.get(f"/engagements/{engagement}/").content.decode()
    assert "hx-get" not in page.split('id="live"')[1].split(">")[0]
    assert 'data-test="settled"' in page
    assert 'data-test="receipt"' in page


def test_a_receipt_for_programs_verifies_without_us() -> None:
    market = one_of_everything()
    whole = browser_of(market.bob).get(f"/receipts/{market.ids['receipt']}/json/").json()
    assert verify(
        body=whole["body"],
        signature=bytes.fromhex(whole["signature"]),
        public_key=bytes.fromhex(whole["public_key"]),
    )


def queries_for(path: str, client: object = None) -> int:
    reader = client or browser()
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert reader.get(path).status_code == 200  # type: ignore[attr-defined]
    return len(seen)


def test_more_agents_cost_the_market_no_more_queries() -> None:
    bob = cast.bob()
    for number in range(2):
        offer(bob, f"Agent {number}", units=30)
    few = queries_for("/")
    for number in range(2, 9):
        offer(bob, f"Agent {number}", units=30)
    assert queries_for("/") <= few
    assert few <= 12


def test_an_engagements_page_takes_a_bounded_number_of_queries() -> None:
    market = one_of_everything()
    hers = browser_of(market.alice)
    for path in (
        "/engagements/",
        f"/engagements/{market.ids['engagement']}/",
        f"/engagements/{market.ids['engagement']}/live/",
        "/money/",
        "/task-sets/",
        "/evidence/",
        "/agents/doubler/",
    ):
        assert queries_for(path, hers) <= 26, path


def test_a_nul_character_in_an_address_is_an_absent_page() -> None:
    hers = browser_of(cast.alice())
    for path in ("/engagements/%00/", "/evidence/%00/", "/receipts/a%00b/", "/task-sets/%00/"):
        assert hers.get(path).status_code == 404, path


def test_more_trials_than_squares_are_counted_instead_of_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hire = hires.funded()
    hire.judge("met")
    there = f"/engagements/{hire.engagement.id}/"
    hers = browser_of(hire.alice)
    drawn = hers.get(there).content.decode()
    monkeypatch.setattr("marketplace.pages.engagement_view.MOST_SQUARES", 2)
    counted = hers.get(there).content.decode()
    assert 'class="f-met"' in drawn
    assert 'class="f-met"' not in counted
    assert "3 of 3" in drawn
    assert "3 of 3" in counted
