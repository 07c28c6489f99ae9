"""Every trial of a run: a matrix for both sides, its contents for whoever brought the tasks."""

import pytest

from marketplace.pages.trials import columns, tone_of
from pacts.models import Observation, Trial
from tests import cast
from tests.marketplace.market import Market, one_of_everything
from tests.marketplace.pages.browsers import browser_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def market() -> Market:
    market = one_of_everything()
    trial = Trial.objects.get(evaluation_id=market.ids["evaluation"], position=1)
    Observation.objects.create(
        trial=trial,
        clause="accuracy",
        check_kind="equality",
        check_version=1,
        outcome="fail",
        reason="expected 42, the secret",
    )
    return market


def shown(market: Market, who: cast.Actor, query: str = "") -> str:
    path = f"/evaluations/{market.ids['evaluation']}/trials/{query}"
    response = browser_of(who).get(path)
    assert response.status_code == 200
    return str(response.content.decode())


def test_each_trial_is_a_cell_with_a_sign_beside_its_colour(market: Market) -> None:
    page = shown(market, market.alice)
    assert page.count('class="cell cell-met" href') == 2
    assert page.count('class="cell cell-breached" href') == 1
    assert "try 1: a check failed" in page


def test_whoever_brought_the_tasks_reads_what_was_asked_and_why_it_failed(market: Market) -> None:
    page = shown(market, market.alice, "?trial=1")
    assert "expected 42, the secret" in page
    assert "number" in page


def test_the_builder_sees_outcomes_and_none_of_the_buyers_contents(market: Market) -> None:
    page = shown(market, market.bob, "?trial=1")
    assert 'data-test="trial"' in page
    assert "accuracy" in page
    assert "secret" not in page
    assert "&quot;number&quot;" not in page


def test_only_failing_trials_are_shown_when_asked(market: Market) -> None:
    page = shown(market, market.alice, "?show=breached")
    assert 'class="cell cell-met" href' not in page
    assert 'class="cell cell-breached" href' in page
    assert 'data-test="empty"' in shown(market, market.alice, "?show=null")


def test_a_trial_that_is_not_there_is_absent(market: Market) -> None:
    path = f"/evaluations/{market.ids['evaluation']}/trials/"
    assert browser_of(market.alice).get(f"{path}?trial=99").status_code == 404
    for odd in ("x", "-1", "9" * 30, "１"):
        assert browser_of(market.alice).get(f"{path}?trial={odd}").status_code == 200
    assert browser_of(cast.mallory()).get(path).status_code == 404


def test_the_matrix_is_read_in_few_questions(
    market: Market, django_assert_max_num_queries: object
) -> None:
    browser, path = browser_of(market.alice), f"/evaluations/{market.ids['evaluation']}/trials/"
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        assert browser.get(f"{path}?trial=1").status_code == 200


def test_tries_of_one_task_stand_in_one_column() -> None:
    rows = [
        {
            "task__position": task,
            "position": task * 2 + repeat,
            "repeat": repeat,
            "variant": "",
            "state": "done",
            "failed": repeat == 1,
        }
        for task in range(3)
        for repeat in range(2)
    ]
    made = columns(rows, chosen=3)
    assert [column.number for column in made] == [1, 2, 3]
    assert [[cell.tone for cell in column.cells] for column in made] == [["met", "breached"]] * 3
    assert [cell.position for column in made for cell in column.cells if cell.chosen] == [3]
    assert tone_of("queued", failed=False) == "queued"
