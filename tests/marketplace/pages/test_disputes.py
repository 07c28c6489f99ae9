"""A dispute on pages: what each side and the desk may do, and what evidence cannot do to a page."""

import re
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.timezone import now as clock

from marketplace.pages.press import new_token
from pacts import disputes
from pacts.models import Dispute, Exhibit, Precedent
from settlement.models import Escrow
from tests import cast
from tests.marketplace.market import Market, one_of_everything
from tests.marketplace.pages.browsers import browser, browser_of, token_in
from tests.pacts import cases

pytestmark = pytest.mark.django_db

SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
TURNED = "safe\u202etxt.exe\u200b"
REASONS = "Half of the answers were what the pact promised, and half were not."


@pytest.fixture
def market() -> Market:
    return one_of_everything()


def the_case(market: Market) -> Dispute:
    return Dispute.objects.get(pk=market.ids["dispute"])


def page_of(market: Market, who: cast.Actor) -> str:
    content: bytes = browser_of(who).get(f"/disputes/{market.ids['dispute']}/").content
    return content.decode()


def send(market: Market, who: cast.Actor, what: str, **fields: Any) -> Any:
    there = f"/disputes/{market.ids['dispute']}/"
    return browser_of(who).post(f"{there}{what}/", {"idempotency_key": new_token()} | fields)


def for_people(market: Market) -> None:
    """Of a ground that a rule does not decide, and heard: a person may rule."""
    Dispute.objects.update(ground="scope", recheck=None)
    cases.heard(the_case(market), now=clock())


def test_every_deadline_says_what_silence_means(market: Market) -> None:
    page = page_of(market, market.alice)
    assert page.count('data-test="clock"') == 2
    assert "a silent builder returns the price, a silent buyer pays" in page
    told = unescape(" ".join(re.sub(r"<[^>]+>", "", page).replace("\xa0", " ").split()))
    assert "That is EUR 95.00 to Bob & Co, EUR 5.00 in fees and EUR 0.00 to Alice & Co." in told
    assert "That is EUR 0.00 to Bob & Co, EUR 0.00 in fees and EUR 100.00 to Alice & Co." in told
    assert "Backstop" in page


def test_the_case_so_far_is_told_in_the_words_of_the_rest_of_the_page(market: Market) -> None:
    for_people(market)
    so_far = page_of(market, market.alice).split("The case so far")[1]
    labels = [state.label for state in Dispute.State if " " in state.label]
    assert [one for one in labels if one in so_far] == []
    assert [one for one in labels if one.capitalize() in so_far] != []


def test_each_side_is_offered_what_is_its_own_to_do(market: Market) -> None:
    hers, his = page_of(market, market.alice), page_of(market, market.bob)
    assert 'data-test="answer-form"' in hers
    assert 'data-test="answer-form"' not in his
    assert 'data-test="withdraw"' in his
    assert 'data-test="withdraw"' not in hers
    assert 'data-test="exhibit-form"' in hers
    assert 'data-test="ruling-form"' not in hers + his


def test_evidence_that_is_a_script_is_shown_as_words_and_served_as_a_download(
    market: Market,
) -> None:
    sent = send(market, market.alice, "evidence", title=SCRIPT, text=f"{SCRIPT} {TURNED}")
    assert sent.status_code == 302, sent.content.decode()
    for who in (market.alice, market.bob, cast.carol()):
        page = page_of(market, who)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;alert(1)" in page
        assert "safe[U+202E]txt.exe[U+200B]" in page
    brought = Exhibit.objects.exclude(pk=market.ids["exhibit"]).get()
    body = browser_of(market.bob).get(f"/exhibits/{brought.pk}/")
    assert body["Content-Disposition"] == f'attachment; filename="{brought.pk}.txt"'
    assert body["Content-Type"] == "text/plain; charset=utf-8"
    assert "sandbox" in body["Content-Security-Policy"]
    assert body["X-Content-Type-Options"] == "nosniff"
    assert body.content.decode() == f"{SCRIPT} {TURNED}"


def test_half_a_megabyte_in_one_line_is_cut_on_the_page_and_whole_in_the_file(
    market: Market,
) -> None:
    line = "w" * (512 * 1024)
    file = SimpleUploadedFile("line.txt", line.encode())
    assert send(market, market.alice, "evidence", title="A line", file=file).status_code == 302
    page = page_of(market, market.bob)
    assert "w" * 5_000 in page
    assert len(page) < 150_000
    brought = Exhibit.objects.exclude(pk=market.ids["exhibit"]).get()
    assert browser_of(market.bob).get(f"/exhibits/{brought.pk}/").content.decode() == line


def test_evidence_is_not_there_for_strangers(market: Market) -> None:
    there = f"/exhibits/{market.ids['exhibit']}/"
    absent = f"/exhibits/{market.ids['exhibit'][:-6]}000000/"
    mallory = browser_of(cast.mallory())
    assert mallory.get(there).status_code == 404
    assert mallory.get(there).content == mallory.get(absent).content


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("x.png", b"<html>not a picture", "this is no image/png"),
        ("x.json", b"[[[[", "this is no JSON"),
        ("x.txt", b"a\x00b", "a text holds no NUL"),
        ("x.txt", b"x" * (512 * 1024 + 1), "at most 512 KiB"),
    ],
)
def test_evidence_that_is_not_what_it_says_is_told_so_and_nothing_is_lost(
    market: Market, name: str, body: bytes, says: str
) -> None:
    sent = send(
        market,
        market.alice,
        "evidence",
        title="The picture I took",
        file=SimpleUploadedFile(name, body),
    )
    page = sent.content.decode()
    assert sent.status_code == 200
    assert says.lower() in page.lower()
    assert "The picture I took" in page


def test_a_split_offered_on_the_case_is_accepted_on_the_case(market: Market) -> None:
    milestone = market.ids["milestone"]
    his = browser_of(market.bob)
    there = f"/disputes/{market.ids['dispute']}/"
    offer = {"award": "30", "note": "Let us end it.", "back": "case"}
    token = {"idempotency_key": token_in(his.get(there))}
    sent = his.post(f"/milestones/{milestone}/cancellation/", token | offer)
    assert sent["Location"] == there
    page = page_of(market, market.alice)
    assert "30" in page.split('data-test="offer"')[1][:300]
    hers = browser_of(market.alice)
    address = page.split('action="/cancellations/')[1].split('"')[0]
    accepted = hers.post(
        f"/cancellations/{address}", {"idempotency_key": token_in(hers.get(there)), "back": "case"}
    )
    assert accepted["Location"] == there
    assert the_case(market).outcome == "settled"
    assert Escrow.objects.get(milestone=milestone).refunded == 7_000
    assert "It is over" in page_of(market, market.alice)


def test_the_calculator_shows_what_settlement_would_move(market: Market) -> None:
    client = browser_of(cast.carol())
    page = client.get(f"/disputes/{market.ids['dispute']}/", {"share": "62.5"}).content.decode()
    row = page.split('data-share="6250"')[1].split("</tr>")[0]
    for amount in ("59.38", "3.12", "37.50"):
        assert amount in row, (amount, row)
    for nonsense in ("abc", "1e9", "-4", "10001", "٣٤"):
        answered = client.get(f"/disputes/{market.ids['dispute']}/", {"share": nonsense})
        calculator = (
            answered.content.decode().split('data-test="calculator"')[1].split("</form>")[0]
        )
        assert "from 0 to 100" in calculator
        assert f'value="{nonsense}"' in calculator, "what was typed is there to be put right"


@pytest.mark.parametrize(("typed", "bps"), [("33.33", 3_333), ("62,5 %", 6_250), ("0", 0)])
def test_an_award_is_typed_in_percent_to_the_basis_point(
    market: Market, typed: str, bps: int
) -> None:
    for_people(market)
    send(market, cast.carol(), "ruling", share=typed, clauses=["accuracy"], reasons=REASONS)
    ruling = the_case(market).ruling or disputes.waiting_ruling(the_case(market))
    assert ruling
    assert ruling.award_bps == bps


@pytest.mark.parametrize("typed", ["101", "33.333", "half", "", "-1", "5e1"])
def test_an_award_that_is_none_is_refused_and_what_was_written_stays(
    market: Market, typed: str
) -> None:
    for_people(market)
    sent = send(market, cast.carol(), "ruling", share=typed, clauses=["accuracy"], reasons=REASONS)
    form = sent.content.decode().split('data-test="ruling-form"')[1].split("</form>")[0]
    assert 'id="id_share_errors"' in form
    assert f'value="{typed}"' in form or not typed
    assert REASONS in form


def test_the_desk_takes_a_case_rules_it_and_a_side_challenges_the_ruling(market: Market) -> None:
    carol = cast.carol()
    for_people(market)
    assert send(market, carol, "assignment").status_code == 302
    assert the_case(market).assigned_to == carol.user
    queue = browser_of(carol).get("/desk/", {"which": "mine"}).content.decode()
    assert queue.count('data-test="case-row"') == 1
    ruled = send(market, carol, "ruling", share="50", clauses=["accuracy"], reasons=REASONS)
    assert ruled.status_code == 302, ruled.content.decode()
    assert Escrow.objects.get(milestone=market.ids["milestone"]).state == "frozen"
    page = page_of(market, market.alice)
    assert REASONS in page
    assert 'data-test="appeal-form"' in page
    asked = send(market, market.alice, "appeal", statement="The tasks were never counted at all.")
    assert asked.status_code == 302, asked.content.decode()
    assert the_case(market).state == "appealed"
    assert "you had a part in the first ruling" in page_of(market, carol).lower()


def test_who_acts_for_a_side_is_told_that_somebody_else_rules(market: Market) -> None:
    from pacts.models import Member

    carol = cast.carol()
    Member.objects.create(party=market.bob.party, user=carol.user, role="viewer")
    for_people(market)
    page = page_of(market, carol)
    assert 'data-test="conflict"' in page
    assert 'data-test="ruling-form"' not in page
    refused = send(market, carol, "ruling", share="0.01", clauses=["accuracy"], reasons=REASONS)
    assert refused.status_code == 200
    assert the_case(market).ruling is None


def test_a_ruling_above_the_limit_waits_for_another_person(market: Market) -> None:
    carol, dora = cast.carol(), cast.actor("dora", is_adjudicator=True)
    Dispute.objects.update(needs_second=True)
    for_people(market)
    send(market, carol, "ruling", share="50", clauses=["accuracy"], reasons=REASONS)
    assert 'data-test="confirmation-form"' not in page_of(market, carol)
    assert 'data-test="confirmation-form"' in page_of(market, dora)
    empty = send(market, dora, "confirmation", says="decline", reasons="")
    assert "say why you decline" in empty.content.decode().lower()
    assert send(market, dora, "confirmation", says="confirm").status_code == 302
    assert the_case(market).state == "challenge_window"


def test_a_recused_adjudicator_has_no_part_any_more(market: Market) -> None:
    carol = cast.carol()
    send(market, carol, "assignment")
    assert send(market, carol, "recusal", why="I know them.").status_code == 302
    assert the_case(market).assigned_to is None
    assert "you stepped back from this case" in page_of(market, carol).lower()


def test_contested_clauses_are_marked(market: Market) -> None:
    Dispute.objects.update(clauses=["accuracy"])
    assert 'data-test="contested"' in page_of(market, market.alice)


def test_precedents_are_found_by_their_words_by_anybody(market: Market) -> None:
    for query, found in (("promised", 1), ('"half of what"', 1), ("unicorn", 0), ("' OR 1=1", 0)):
        page = browser().get("/precedents/", {"q": query}).content.decode()
        assert page.count('data-test="precedent"') == found, query
    assert browser().get("/precedents/", {"ground": "nonsense"}).status_code == 200


def test_an_adjudicator_takes_more_out_of_a_precedent_and_a_member_of_a_side_does_not(
    market: Market,
) -> None:
    carol, there = cast.carol(), f"/precedents/{market.ids['precedent']}/"
    text = "The work was half done, by Alice & Co for bob@example.org."
    client = browser_of(carol)
    body = {"idempotency_key": token_in(client.get(there)), "reasons": text}
    assert client.post(f"{there}review/", body).status_code == 302
    kept = Precedent.objects.get().reasons
    assert "Alice" not in kept
    assert "bob@example.org" not in kept
    market.bob.user.is_adjudicator = True
    market.bob.user.save()
    his = browser_of(market.bob)
    body = {"idempotency_key": token_in(his.get(there)), "reasons": "I was right all the time."}
    assert "somebody else edits" in his.post(f"{there}review/", body).content.decode()


def test_filing_shows_the_path_its_silences_and_the_deposit(market: Market) -> None:
    page = browser_of(market.alice).get(f"/milestones/{market.ids['milestone']}/dispute/")
    shown = page.content.decode()
    assert "5 business days" in shown
    assert "Filing costs nothing" in shown
    assert "is frozen at once. If everything takes as long as it may" in shown
    assert 'name="clauses"' in shown


def test_own_disputes_are_listed_for_both_sides_and_nobody_else(market: Market) -> None:
    for who, count in ((market.alice, 1), (market.bob, 1), (cast.mallory(), 0)):
        page = browser_of(who).get("/disputes/").content.decode()
        assert page.count('data-test="dispute-row"') == count


def test_a_rested_case_is_closed_to_more_evidence(market: Market) -> None:
    for_people(market)
    late = send(market, market.alice, "evidence", title="Late", text="One more thing.")
    page = late.content.decode()
    assert "the evidence of this dispute is locked" in page.lower()
    assert "One more thing." in page  # what was typed is given back
    with pytest.raises(disputes.DisputeClosed):
        cases.heard(the_case(market), now=clock())
