"""What juries and people said, where a run is read; how its agent failed, for its builder."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from pacts import runner
from pacts.judges.prompt import Message
from pacts.models import Judgement
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.marketplace.market import one_of_everything
from tests.marketplace.pages.browsers import browser_of
from tests.pacts.judges import panel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()


@pytest.fixture
def url() -> Iterator[str]:
    with cast.agent_service(cast.echo) as address:
        yield address


def of_two_minds(model: str, messages: Sequence[Message]) -> str:
    answer = str(panel.data_in(messages)["answer"]["answer"])
    return panel.verdict_of("fail" if model.endswith("2") and answer == "2" else "pass", answer)


def test_a_run_shows_each_disagreement_and_what_each_word_cost(url: str) -> None:
    carol, bob, alice = cast.carol(), cast.bob(), cast.alice()
    jury = panel.jury_of(carol, jurors=3)
    running = panel.start(url, bob, alice, panel.judged(jury), count=4, unpublished=True)
    panel.run(running)
    Judgement.objects.update(cost_micros=1_250)
    panel.hear(panel.scripted(of_two_minds))
    panel.conclude(running)
    page = browser_of(alice).get(f"/evaluations/{running.id}/").content.decode()
    assert page.count('data-test="split"') == 1
    assert '<dd class="num">1 answer</dd>' in page
    assert "juror 3, judge-2026-01-01-2: 0.00125" in page
    assert "0.015 in all, 0.00125 for one word on average" in page


def test_a_builder_sees_how_its_agent_failed_at_a_hire_without_the_buyers_tasks() -> None:
    market = one_of_everything()
    builder, page = browser_of(market.bob), f"/evaluations/{market.ids['evaluation']}/"
    assert page in builder.get("/builder/agents/doubler/").content.decode()
    shown = builder.get(page).content.decode()
    assert 'data-test="failure-modes"' in shown
    assert "The buyer’s tasks stay with the buyer" in shown
    assert not any(f'data-test="{name}"' in shown for name in ("bundle", "rerun", "split"))
    assert builder.get(f"{page}bundle/").status_code == 404
    assert browser_of(cast.mallory()).get(page).status_code == 404


def test_an_adjudicator_is_told_how_much_waits_to_be_read() -> None:
    market = one_of_everything()
    carol = cast.carol()
    desk = browser_of(carol).get("/desk/").content.decode()
    program = program_of(carol)
    waiting = program.ask("GET", "/api/v1/reviews-waiting").json()
    assert 'data-test="reviews-waiting"' in desk
    assert f"{waiting['answers']} answer" in desk
    assert waiting == {
        "answers": len(program.ask("GET", "/api/v1/reviews").json()["results"]),
        "runs": 0,
        "until": None,
    }
    assert program_of(market.bob).ask("GET", "/api/v1/reviews-waiting").status_code == 403
