"""Numbers as words, pacts as sentences, tasks as people bring them: pure functions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils.translation import override

from marketplace import labels
from marketplace.foretelling import Foretold
from marketplace.models import BenchmarkClaim
from marketplace.pages import charts, wording
from marketplace.pages.promises import Offer, clause_texts, timer_sentences
from marketplace.pages.rates import Rate
from marketplace.pages.ways_view import Reader, WayText, groups_of
from pacts import terms
from pacts.feasibility import Timers
from pacts.models import Dispute
from pacts.procedure.clocks import SMALL
from pacts.tables import read_text as read_tasks
from pacts.tasksets import TaskSetRefused
from settlement.ways import Agreed, ways
from tests import cast

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OFFER = Offer(
    price=4_500,
    currency="EUR",
    fee_bps=500,
    work_seconds=3_600,
    evaluation_seconds=3_600,
    acceptance_seconds=72 * 3_600,
    cure_seconds=90,
    max_revisions=1,
)


@pytest.mark.parametrize(
    ("bps", "shown"),
    [
        (9_500, "95\u202f%"),
        (9_725, "97.25\u202f%"),
        (0, "0\u202f%"),
        (10_000, "100\u202f%"),
        (None, "–"),
    ],
)
def test_shares_are_written_without_needless_digits(bps: int | None, shown: str) -> None:
    assert wording.percent(bps) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (90, "90 seconds"),
        (120, "2 minutes"),
        (3_600, "1 hour"),
        (259_200, "3 days"),
        (200_000, "2 days"),
    ],
)
def test_spans_use_the_largest_unit_that_fits(seconds: int, shown: str) -> None:
    assert wording.span(seconds) == shown


def test_a_debit_has_a_minus_sign_and_a_currency_its_own_decimals() -> None:
    assert wording.amount(-123_456, "EUR") == "\u2212EUR\u00a01,234.56"
    assert wording.amount(500, "JPY") == "JPY\u00a0500"


def test_exactly_at_a_deadline_there_is_still_time() -> None:
    assert wording.left(NOW, NOW) == "0 seconds left"
    assert wording.left(NOW, NOW + timedelta(microseconds=1)) == "time is up"


@pytest.mark.parametrize(
    ("there_is", "shown"),
    [
        (timedelta(days=3, seconds=-1), "2 days, 23 hours left"),
        (timedelta(days=3), "3 days left"),
        (timedelta(days=9, hours=20), "9 days left"),
        (timedelta(hours=30), "30 hours left"),
        (timedelta(hours=2, minutes=59, seconds=59), "2 hours, 59 minutes left"),
        (timedelta(minutes=2, seconds=59), "2 minutes left"),
        (timedelta(seconds=5), "5 seconds left"),
    ],
)
def test_time_left_is_never_more_than_there_is_and_close_to_it(
    there_is: timedelta, shown: str
) -> None:
    assert wording.left(NOW + there_is, NOW) == shown


def test_a_day_has_no_hour_so_its_age_has_none() -> None:
    assert [wording.days_ago(days) for days in (-1, 0, 1, 400)] == [
        "today",
        "today",
        "1 day ago",
        "400 days ago",
    ]


def test_a_distance_between_shares_is_told_in_points_with_its_sign() -> None:
    assert [wording.points(bps) for bps in (990, 0, -580)] == [
        "+9.9 points",
        "0.0 points",
        "\u22125.8 points",
    ]


def test_a_state_of_several_words_is_written_as_in_a_sentence() -> None:
    assert labels.said("Human Review") == "Human review"
    assert labels.said("Evidence Open") == "Evidence open"
    assert labels.said("met") == "met"
    with override("de"):
        assert labels.said("Human Review") != "Human Review"


@pytest.mark.parametrize("kinds", [Dispute.Ground, BenchmarkClaim.Runner])
def test_a_forms_choices_are_said_in_the_language_of_whoever_looks(kinds: Any) -> None:
    shown = labels.choices(kinds.choices)
    assert [value for value, _ in shown] == list(kinds.values)
    assert not [str(label) for _, label in shown if str(label) != str(label).capitalize()]
    with override("de"):
        german = [str(label) for _, label in shown]
    assert set(german).isdisjoint({"Non delivery", "Invalid input", "Builder"})
    assert german != [str(label) for _, label in shown]


def told(reader: Reader, **changes: Any) -> dict[str, WayText]:
    """Every way of a hire for 45.00 in words, by key."""
    fields: dict[str, Any] = {
        "amount": 4_500,
        "fee_bps": 500,
        "timers": Timers(3_600, 3_600, 72 * 3_600, 24 * 3_600),
        "max_revisions": 1,
        "on_breach": "refund",
        "rules": ("human_review",),
        "periods": SMALL,
    }
    agreed = Agreed(**fields | changes)
    foretold = Foretold(
        agreed=agreed,
        currency="EUR",
        funded_at=NOW,
        track="small",
        needs_second=False,
        deposits={},
        ways=ways(agreed=agreed, funded_at=NOW),
    )
    groups = groups_of(foretold, reader=reader, now=NOW)
    return {one.way.key: one for group in groups for one in group.ways}


def test_a_met_hire_names_both_amounts_and_the_last_moment() -> None:
    silence = told("buyer")["met_silence"]
    assert "EUR\u00a042.75" in silence.sentence
    assert "EUR\u00a02.25" in silence.sentence
    assert "out of your" in silence.sentence
    assert "5 Mar 2026, 11:00 UTC" in silence.until
    assert "3 days from now" in silence.until


def test_the_builder_reads_the_same_ways_in_words_of_its_own() -> None:
    hers, his = told("buyer"), told("builder")
    assert hers.keys() == his.keys()
    assert "You receive EUR\u00a042.75" in his["met_silence"].sentence
    assert "returns to you" in hers["breached"].sentence
    assert "returns to the buyer" in his["breached"].sentence
    assert {one: hers[one].way for one in hers} == {one: his[one].way for one in his}


def test_a_pact_that_prorates_says_that_the_share_is_an_example() -> None:
    breached = told("buyer", on_breach="prorate")["breached"]
    assert "as if 80\u202f% were measured" in breached.aside
    assert "EUR\u00a09.00 back to you" in breached.sentence


def test_a_bond_is_somebodys_in_every_way() -> None:
    ways_of = told("builder", bond=500, critical=True)
    assert "goes to the buyer" in ways_of["breached_critical"].aside
    assert "returns to you" in ways_of["met_silence"].aside


def test_the_clocks_are_told() -> None:
    clocks = timer_sentences(OFFER)
    assert len(clocks) == 7
    assert "5 business days to answer; who stays silent loses" in clocks[4]


def test_a_clause_says_what_is_promised_what_a_breach_costs_and_how_long_proof_takes() -> None:
    clause = cast.clause(consequence="reduce", weight_bps=10_000)
    (text,) = clause_texts(terms.parse(cast.pact_terms(clause)))
    assert "At least 90\u202f%" in text.promised
    assert "its 100\u202f% of the price" in text.if_breached
    assert "22 calls" in text.proof
    assert "every 30 days" in text.care


def rate(**changes: object) -> Rate:
    known = {
        "name": "accuracy",
        "estimate": 9_000,
        "low": 8_000,
        "high": 9_500,
        "units": 100,
        "failures": 10,
        "status": "met",
        "promise": 9_000,
        "floor": 8_000,
    }
    return Rate(**(known | changes))  # type: ignore[arg-type]


def test_an_interval_is_drawn_on_one_scale_and_stays_on_it() -> None:
    plot = charts.interval_plot(rate())
    assert plot is not None
    assert plot.band == (800, 150)
    assert (plot.dot, plot.promise, plot.floor) == (900, 900, 800)
    edge = charts.interval_plot(rate(low=10_000, high=10_000, estimate=10_000))
    assert edge is not None
    assert edge.dot == 1_000


def test_without_a_number_nothing_is_drawn() -> None:
    assert charts.interval_plot(rate(estimate=None, low=None, high=None)) is None


def test_rising_agents_are_drawn_over_falling_ones() -> None:
    drawn = charts.slopes(["x", "y", "z"], ["z", "x"])
    assert [slope.rises for slope in drawn] == [False, True]


def test_csv_becomes_tasks() -> None:
    first, second = read_tasks(
        "\ufeffinput.text,expected.language,in_scope,stratum\nHallo,de,true,short\nasdf,,no,\n"
    )
    assert (first.input, first.expected, first.stratum) == (
        {"text": "Hallo"},
        {"language": "de"},
        "short",
    )
    assert (second.expected, second.in_scope) == (None, False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("text,language\nHallo,de", "column “text” is unknown"),
        ("expected.language\nde", "no input column"),
        ("input.text,in_scope\nHallo,perhaps", "line 2: in_scope"),
        ("input.text,expected.language\nHallo", "line 2: 1 cells, but 2 columns"),
        ("input.text,input.text\na,b", "each name once"),
        ('input.text\n"open', "not CSV"),
        ("", "no tasks"),
        ('{"input": {"a": NaN}}', "line 1"),
    ],
)
def test_tasks_that_do_not_fit_are_refused_by_line(text: str, said: str) -> None:
    with pytest.raises(TaskSetRefused, match=said):
        read_tasks(text)
