"""Numbers as words, pacts as sentences, tasks as people bring them: pure functions."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.pages import charts, wording
from marketplace.pages.promises import Offer, clause_texts, happenings, timer_sentences
from marketplace.pages.rates import Rate
from pacts import terms
from pacts.tables import read_text as read_tasks
from pacts.tasksets import TaskSetRefused
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


def test_a_met_hire_names_both_amounts_and_the_last_moment() -> None:
    met, silence, *_ = happenings(offer=OFFER, terms=terms.parse(cast.pact_terms()), now=NOW)
    assert "EUR\u00a042.75" in met.sentence
    assert "EUR\u00a02.25" in met.sentence
    assert "5 Mar 2026, 11:00 UTC" in met.detail
    assert "3 days" in silence.sentence


def test_every_way_a_hire_can_go_is_told() -> None:
    told = happenings(offer=OFFER, terms=terms.parse(cast.pact_terms()), now=NOW)
    assert [one.tone for one in told] == [
        "met",
        "plain",
        "breached",
        "undetermined",
        "plain",
        "plain",
    ]
    assert "whole EUR\u00a045.00 returns to you" in told[2].sentence
    assert "a person without interest" in told[3].sentence
    assert "2 Mar 2026, 10:00 UTC" in told[4].detail
    clocks = timer_sentences(OFFER)
    assert len(clocks) == 7
    assert "5 business days to answer; who stays silent loses" in clocks[4]


def test_a_pact_that_prorates_says_so_and_mixed_rules_name_their_clauses() -> None:
    clauses = [
        cast.clause("a", weight_bps=5_000),
        cast.clause("b", weight_bps=5_000, on_undetermined="prorate"),
    ]
    parsed = terms.parse(cast.pact_terms(*clauses, on_breach="prorate"))
    told = happenings(offer=OFFER, terms=parsed, now=NOW)
    assert "measured share" in told[2].sentence
    assert "“a”" in told[3].sentence
    assert "“b”" in told[3].sentence


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
