"""A builder's reply stands beside a finding, signed and erasable, and changes no number."""

from typing import Any

import pytest
from django.utils.timezone import now as clock

from marketplace import contesting, erasure, replies
from marketplace.models import FindingReply, Incident
from marketplace.replies import ReplyRefused, digest_of
from pacts.models import Evaluation, Party, Rehearsal
from pacts.signatures import holds
from reputation.models import Evidence
from reputation.sequencer import sequence_batch
from reputation.standings import stored, update_standings
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.marketplace.market import Market, one_of_everything
from tests.marketplace.pages.browsers import browser, browser_of, token_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def market() -> Market:
    return one_of_everything()


def run_of(market: Market) -> Evaluation:
    return Evaluation.objects.get(pk=market.ids["evaluation"])


def say(market: Market, text: str, about: Any = None, party: Party | None = None) -> FindingReply:
    return replies.reply(
        about=about or run_of(market),
        party=party or market.bob.party,
        by=market.bob.user,
        authority="member:owner",
        text=text,
        now=clock(),
    )


def test_a_reply_is_signed_and_committed_to_and_its_words_are_not_in_the_log(
    market: Market,
) -> None:
    said = say(market, "Three of the tasks had two right answers.")
    assert said.number == 2  # the market's sample was the first
    assert holds(said.signature)
    assert (
        said.signature.digest
        == said.digest
        == digest_of(about=market.ids["evaluation"], number=2, salt=said.salt, text=said.text)
    )
    entry = Evidence.objects.get(pk=said.evidence_id)
    assert said.digest in entry.envelope
    assert "two right answers" not in entry.envelope


def test_a_reply_moves_no_standing(market: Market) -> None:
    sequence_batch()
    update_standings(limit=100_000)
    before = stored()
    say(market, "It was not our fault.")
    sequence_batch()
    update_standings(limit=100_000)
    assert stored() == before


def test_erasing_takes_every_version_away_and_leaves_every_proof(market: Market) -> None:
    said = say(market, "Words to be taken back.")
    replies.erase_reply(reply=said, now=clock())
    rows = list(replies.replies_to(run_of(market)))
    assert [row.text for row in rows] == ["", ""]
    assert [row.salt for row in rows] == ["", ""]
    assert all(holds(row.signature) for row in rows)
    assert replies.newest_of([market.ids["evaluation"]]) == {}
    again = say(market, "Said better.")
    assert again.number == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("  \n ", "write what you have to say"),
        ("x" * 1_001, "at most 1000 characters"),
        ("safe\u202egnp.exe", "turning characters"),
        ("a\u0000b", "invisible"),
        ("The tasks were not what was agreed.", "stand there already"),
    ],
)
def test_words_that_cannot_stand_are_refused_with_the_reason(
    market: Market, text: str, says: str
) -> None:
    with pytest.raises(ReplyRefused, match=says):
        say(market, text)


def test_nobody_replies_for_a_builder_and_a_builder_not_to_its_own_runs(market: Market) -> None:
    with pytest.raises(ReplyRefused, match="only the agent's builder"):
        say(market, "Not mine.", party=market.alice.party)
    run = run_of(market)
    run.purpose = Evaluation.Purpose.SCREENING
    with pytest.raises(ReplyRefused, match="concluded run of a hire"):
        say(market, "My own.", about=run)


def test_everybody_reads_it_beside_the_finding_and_only_its_builder_writes(
    market: Market,
) -> None:
    there = f"/evaluations/{market.ids['evaluation']}/"
    bobs, alices = browser_of(market.bob), browser_of(market.alice)
    page = bobs.get(there)
    assert 'data-test="reply-form"' in page.content.decode()
    sent = {"text": "Read the third task again.", "idempotency_key": token_in(page)}
    assert bobs.post(f"{there}reply/", sent)["Location"].endswith("#replies")
    hers = alices.get(there).content.decode()
    assert "Read the third task again." in hers
    assert 'data-test="reply-form"' not in hers
    assert alices.post(f"{there}reply/", {"text": "Mine"}).status_code == 404
    listed = browser().get(f"/api/v1/replies?evaluation={market.ids['evaluation']}").json()
    assert listed["results"][0]["text"] == "Read the third task again."


def test_a_program_replies_to_an_incident_and_erases_it(market: Market) -> None:
    program = program_of(market.bob)
    incident = Incident.objects.get(pk=market.ids["incident"])
    asked = {"incident": incident.pk, "text": "The provider was down; we moved."}
    made = program.ask("POST", "/api/v1/replies", asked)
    assert made.status_code == 201, made.content
    there = f"/api/v1/replies/{made.json()['id']}"
    assert program_of(market.alice).ask("DELETE", there).status_code == 404
    assert program.ask("DELETE", there).json()["text"] == ""
    both = asked | {"evaluation": market.ids["evaluation"]}
    assert program.ask("POST", "/api/v1/replies", both).status_code == 422


def test_the_ways_to_contest_are_open_exactly_where_the_domain_would_take_them(
    market: Market,
) -> None:
    run = run_of(market)  # a dispute about it is open
    mine = {way.key: way for way in contesting.ways(run, party=market.bob.party, now=clock())}
    assert list(mine) == ["dispute", "recheck", "verify", "third_party", "reply"]
    assert "a dispute is open" in str(mine["dispute"].closed)
    assert mine["reply"].is_open
    hers = {way.key: way for way in contesting.ways(run, party=market.alice.party, now=clock())}
    assert "reply" not in hers
    there = f"/api/v1/evaluations/{run.pk}/contest-ways"
    body = program_of(market.bob).ask("GET", there).json()
    assert [(one["key"], one["is_open"]) for one in body] == [
        (way.key, way.is_open) for way in mine.values()
    ]
    assert program_of(cast.mallory()).ask("GET", there).status_code == 404


def test_a_partys_erasure_takes_its_replies_and_its_own_runs_with_it(market: Market) -> None:
    run = Rehearsal.objects.get(pk=market.ids["rehearsal"])
    assert run.cases.get().input
    erasure.erase(subject_id=market.bob.party.pk, reason="party_request", now=clock())
    assert run.cases.get().input == ""
    assert [one.text for one in FindingReply.objects.all()] == [""]
    assert [one.salt for one in FindingReply.objects.all()] == [""]
    page = browser_of(market.alice).get(f"/evaluations/{market.ids['evaluation']}/")
    assert "Erased by the builder" in page.content.decode()


def test_where_the_newest_words_are_erased_the_older_do_not_come_back(market: Market) -> None:
    first = say(market, "It was the network.")
    second = say(market, "It was us.")
    FindingReply.objects.filter(pk=second.pk).update(text="", salt="")
    assert FindingReply.objects.get(pk=first.pk).text
    assert replies.newest_of([market.ids["evaluation"]]) == {}
