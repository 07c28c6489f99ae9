"""Every step of a dispute raced against every other, and the world changing in mid-case.

Real threads with connections of their own. After each: one terminal outcome, a balanced ledger,
one record of it in the log, and a refusal with a name for whoever came second.
"""

from collections.abc import Callable
from itertools import combinations

import pytest
from django.utils.timezone import now as clock

from marketplace import erasure
from marketplace.notices import telling
from pacts import disputes
from pacts.disputes.refusals import (
    ConflictOfInterest,
    DisputeClosed,
    DisputeRefused,
    NotYetRipe,
)
from pacts.models import Dispute, Ruling, User
from pacts.procedure.clocks import FULL, SILENCES
from settlement.refusals import EscrowRefused
from settlement.settlements import settle
from tests.marketplace.consequences.lately import told
from tests.pacts.suspending import suspend
from tests.racing import in_parallel
from tests.settlement.disputed import JUDGED, STATES, Case
from tests.settlement.hires import TICK

pytestmark = pytest.mark.django_db(transaction=True)
REFUSED = (EscrowRefused, DisputeClosed, DisputeRefused, NotYetRipe, ConflictOfInterest)


@pytest.fixture(autouse=True)
def _quick(settings: pytest.FixtureRequest) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True  # type: ignore[attr-defined]
    settings.PASSWORD_HASHERS = [  # type: ignore[attr-defined]
        "django.contrib.auth.hashers.MD5PasswordHasher"
    ]


Act = Callable[[Case], None]
# What somebody may do in each state; the others are refused, and must be so in a race as well.
MOVES: dict[str, list[str]] = {
    "held": ["open", "offer", "accept_offer", "take_offer_back", "release", "give_back", "expire"],
    "opened": ["answer", "withdraw", "offer", "accept_offer", "add_evidence", "expire"],
    "negotiating": ["rest", "withdraw", "offer", "accept_offer", "add_evidence", "expire"],
    "evidence_open": ["rest", "withdraw", "accept_offer", "add_evidence", "expire"],
    "evidence_locked": ["withdraw", "accept_offer", "take", "expire"],
    "under_review": ["rule", "withdraw", "accept_offer", "take", "step_back", "expire"],
    "confirming": ["confirm", "decline", "accept_offer", "step_back", "expire"],
    "challenge_window": ["appeal", "accept_offer", "expire"],
    "appealed": ["rule", "accept_offer", "take", "step_back", "expire"],
    "appeal_confirming": ["confirm", "decline", "accept_offer", "expire"],
}
ACTS = sorted({act for moves in MOVES.values() for act in moves})
TWICE = ("rule", "accept_offer", "release", "appeal")  # what moves money, at the same moment twice
PAIRS = [(state, *pair) for state, moves in MOVES.items() for pair in combinations(moves, 2)]


def test_every_state_is_raced_and_every_door_of_a_dispute_is_somebodys_act() -> None:
    assert set(MOVES) == set(STATES)
    assert {*SILENCES} <= {*STATES, "ruled"}  # "ruled" waits for a second person: `confirming`
    doors = {"open_dispute": "open", "answer_dispute": "answer", "add_exhibit": "add_evidence"}
    doors |= {"assign": "take", "recuse": "step_back"}
    public = {name for name in disputes.__all__ if name[0].islower()}
    looks = {"advance", "advance_due", "close", "follow_due", "has_interest", "interest_of"}
    looks |= {"locked", "lost_lately", "parties_of", "read_body", "sides_of", "text_of", "tie_of"}
    looks |= {"waiting_ruling"}
    assert {doors.get(name, name) for name in public - looks} <= set(ACTS)


@pytest.mark.parametrize("state", STATES)
def test_everything_at_once_in_any_state_leaves_one_story(state: str) -> None:
    case = Case(state)
    names = [*ACTS, *TWICE]
    acts = iter(names)
    seen = in_parallel(len(names), lambda: getattr(case, next(acts))())
    excused = (*REFUSED, Dispute.DoesNotExist) if state == "held" else REFUSED  # none opened yet
    assert all(one is None or isinstance(one, excused) for one in seen), seen
    case.nothing_is_wrong()


@pytest.mark.slow
@pytest.mark.parametrize(("state", "first", "second"), PAIRS)
def test_any_two_steps_at_once_leave_one_story(state: str, first: str, second: str) -> None:
    case = Case(state)
    acts = iter([first, second, first, second])
    seen = in_parallel(4, lambda: getattr(case, next(acts))())
    assert all(one is None or isinstance(one, REFUSED) for one in seen), seen
    case.nothing_is_wrong()


def test_a_ruling_said_again_is_told_that_somebody_ruled_and_changes_nothing() -> None:
    case = Case("under_review")
    case.rule(case.carol)
    for _ in range(2):
        with pytest.raises(DisputeClosed):
            case.rule(case.carol, award=9_999)
    assert Ruling.objects.get().award_bps == 2_500
    case.nothing_is_wrong()
    with pytest.raises(DisputeClosed):
        case.rule(case.carol)
    assert case.made.escrow.earned_share_bps == 2_500


def both_are_told_what_the_ledger_says(case: Case) -> None:
    """Each side hears of one end and one settlement, and reads what was in fact moved."""
    told()
    escrow = case.made.escrow
    people = User.objects.filter(pk__in=[case.made.alice.user.pk, case.made.bob.user.pk])
    assert people.filter(is_active=True).exists()
    for who in people.filter(is_active=True):  # who was switched off reads nothing
        heard = telling.notices_of(who)
        (ended,) = heard.filter(news__kind="dispute.closed")
        (settled,) = heard.filter(news__kind="escrow.settled")
        assert f"awarded {(escrow.earned_share_bps or 0) // 100} %" in ended.news.title
        assert escrow.state in settled.news.title.lower()


def test_a_builder_suspended_in_mid_case_is_paid_what_was_awarded() -> None:
    case = Case("under_review")
    suspend(case.made.engagement.agent_version, now=JUDGED)
    case.made.bob.user.is_active = False
    case.made.bob.user.save()
    case.rule(case.carol)
    case.nothing_is_wrong()
    assert case.made.balances() == (7_500, 4_375, 125)
    both_are_told_what_the_ledger_says(case)


def test_a_buyer_whose_texts_are_erased_in_mid_case_gets_the_ruling_all_the_same() -> None:
    case = Case("under_review")
    done = erasure.erase(
        subject_id=case.made.alice.party.pk, reason="data_subject_request", now=clock()
    )
    assert done.waiting
    assert case.dispute.statement == "That was not agreed."
    case.rule(case.carol)
    case.nothing_is_wrong()
    erasure.erase_due(now=clock())
    assert case.dispute.statement == ""
    assert case.made.balances() == (7_500, 4_375, 125)
    both_are_told_what_the_ledger_says(case)


def test_a_currency_no_longer_offered_is_paid_out_as_it_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = Case("challenge_window")
    monkeypatch.delitem(__import__("pacts.currencies", fromlist=["x"]).EXPONENTS, "USD")
    settle(escrow_id=case.made.escrow.pk, now=case.now + FULL.challenge + TICK)
    monkeypatch.undo()
    case.nothing_is_wrong()
    assert case.made.escrow.reason == "ruled"
    both_are_told_what_the_ledger_says(case)


def test_both_sides_are_told_the_same_from_the_opening_to_the_end() -> None:
    case = Case("appealed")
    case.rule()
    case.nothing_is_wrong()
    told()
    sides = (case.made.alice.user, case.made.bob.user)
    heard_of = [
        sorted(telling.notices_of(who).values_list("news__kind", "news__title")) for who in sides
    ]
    assert heard_of[0] == heard_of[1]
    titles = [title for kind, title in heard_of[0] if kind.startswith(("dispute", "ruling"))]
    assert [title.split(": ")[-1] for title in titles if "awarded" in title] == [
        "the builder is awarded 25 %"
    ] * 3
    kinds = {kind for kind, _ in heard_of[0]}
    assert {"dispute.opened", "ruling.made", "dispute.appealed", "dispute.closed"} <= kinds
