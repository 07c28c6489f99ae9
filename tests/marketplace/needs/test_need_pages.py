"""A need from its post to its hire: by pages, by programs, told to those it concerns."""

from datetime import datetime, timedelta

import pytest
from django.utils.timezone import now as clock

from marketplace import picking
from marketplace.models import News, Notice
from marketplace.notices import telling
from marketplace.pages import press
from pacts import needs
from pacts.models import Agent, AgentVersion, Engagement, Need, SealedOffer
from reputation import sequencer
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.marketplace.pages.browsers import browser_of, token_in
from tests.pacts.needs.asked import agent_for, need_of, offered
from tests.pacts.suspending import suspend

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)


def opened(need: Need) -> Need:
    needs.reveal_due(now=need.offers_until + TICK)
    need.refresh_from_db()
    return need


def picked(need: Need, alice: cast.Actor, offer: SealedOffer, now: datetime) -> Engagement:
    return picking.pick(
        need=need,
        offer_id=offer.id,
        buyer=alice.party,
        task_set_version=cast.golden_set(alice, cast.doubling_tasks(5)),
        by=alice.user,
        authority="member:owner",
        now=now,
    )


def test_a_buyer_posts_a_builder_offers_and_until_the_deadline_the_buyer_sees_nothing() -> None:
    alice, bob = cast.alice(), cast.bob()
    need = need_of(alice)
    version = agent_for(bob)
    his, hers = browser_of(bob), browser_of(alice)
    page = his.get(f"/needs/{need.id}/")
    sent = {"agent_version": version.id, "price": "123.45", "hours": "3", "note": "SENTINEL"}
    answer = his.post(f"/needs/{need.id}/offer/", sent | {press.FIELD: token_in(page)})
    assert answer["Location"] == f"/needs/{need.id}/"
    assert "SENTINEL" in his.get(f"/needs/{need.id}/").content.decode(), "it is his own"
    one = SealedOffer.objects.get()
    for reader in (hers, browser_of(cast.mallory())):
        shown = reader.get(f"/needs/{need.id}/").content.decode()
        assert "SENTINEL" not in shown
        assert "123.45" not in shown
        assert reader.get(f"/sealed-offers/{one.id}/").status_code == 404
    opened(need)
    shown = hers.get(f"/needs/{need.id}/").content.decode()
    assert "SENTINEL" in shown
    assert hers.get(f"/sealed-offers/{one.id}/").status_code == 200
    assert browser_of(cast.carol()).get(f"/sealed-offers/{one.id}/").status_code in (403, 404)


def test_through_the_api_a_sealed_offer_answers_its_buyer_like_an_absent_one() -> None:
    alice, bob = cast.alice(), cast.bob()
    need = need_of(alice)
    hers, his = program_of(alice), program_of(bob)
    sent = {"agent_version": agent_for(bob).id, "price": "5000", "work_seconds": 60, "note": "n"}
    one = his.post(f"needs/{need.id}/offers", sent).json()
    absent = one["id"][:-8] + "00000000"
    seen, nothing = hers.get(f"sealed-offers/{one['id']}"), hers.get(f"sealed-offers/{absent}")
    assert seen.status_code == 404
    assert seen.content == nothing.content
    assert hers.get(f"needs/{need.id}/offers").json()["results"] == []
    opened(need)
    shown = hers.get(f"needs/{need.id}/offers").json()["results"]
    assert [(row["id"], row["document"]["price"]) for row in shown] == [(one["id"], 5000)]
    assert program_of(cast.mallory()).get(f"sealed-offers/{one['id']}").status_code == 404


def test_staff_find_no_sealed_offer_in_the_back_office() -> None:
    from django.contrib import admin

    assert SealedOffer not in admin.site._registry


def test_a_picked_offer_becomes_a_hire_under_the_needs_pact_at_its_price() -> None:
    alice, bob, mallory = cast.alice(), cast.bob(), cast.mallory()
    need = need_of(alice)
    best = offered(need, bob, agent_for(bob), price=7_777, work_seconds=7_200)
    other = offered(need, mallory, agent_for(mallory, "Cheap"), price=1)
    with pytest.raises(picking.PickRefused, match="still sealed"):
        picked(need, alice, best, clock())
    need = opened(need)
    engagement = picked(need, alice, best, need.choose_until)
    milestone = engagement.milestones.get()
    assert (milestone.amount, engagement.work_seconds) == (7_777, 7_200)
    assert engagement.pact_version_id == need.pact_version_id
    assert engagement.buyer_signature is not None
    assert engagement.state == "proposed", "the builder signs for itself"
    outcomes = dict(SealedOffer.objects.values_list("pk", "outcome"))
    assert outcomes == {best.pk: "picked", other.pk: "passed_over"}
    with pytest.raises(picking.PickRefused, match="has ended"):
        picked(need, alice, other, need.choose_until)


def test_after_the_last_moment_nothing_is_picked() -> None:
    alice, bob = cast.alice(), cast.bob()
    need = need_of(alice)
    one = offered(need, bob, agent_for(bob))
    need = opened(need)
    with pytest.raises(picking.PickRefused, match="has ended"):
        picked(need, alice, one, need.choose_until + TICK)


def test_an_agent_that_was_withdrawn_in_between_is_opened_and_cannot_be_picked() -> None:
    alice, bob = cast.alice(), cast.bob()
    need, version = need_of(alice), agent_for(bob)
    one = offered(need, bob, version)
    Agent.objects.filter(pk=version.agent_id).update(control_proved_at=None)
    need = opened(need)
    with pytest.raises(picking.PickRefused, match="control of the agent's endpoint"):
        picked(need, alice, one, need.offers_until + TICK)
    needs.close_unchosen(now=need.choose_until + TICK)
    assert SealedOffer.objects.get().outcome == "unfit"


def test_an_agent_that_is_suspended_after_the_reveal_cannot_be_picked() -> None:
    alice, bob = cast.alice(), cast.bob()
    need, version = need_of(alice), agent_for(bob)
    one = offered(need, bob, version)
    need = opened(need)
    suspend(version, now=need.offers_until + TICK)
    with pytest.raises(picking.PickRefused, match="no hires at the moment"):
        picked(need, alice, one, need.offers_until + TICK)
    assert Need.objects.get().state == "revealed", "another may still be picked"


def test_those_it_concerns_are_told_and_nobody_else() -> None:
    alice, bob, mallory = cast.alice(), cast.bob(), cast.mallory()
    sequencer.sequence_batch()
    telling.tell(now=clock())
    News.objects.all().delete()
    need = need_of(alice)
    best = offered(need, bob, agent_for(bob))
    offered(need, mallory, agent_for(mallory, "Cheap"))
    need = opened(need)
    picked(need, alice, best, need.choose_until)
    sequencer.sequence_batch()
    telling.tell(now=clock())
    told = set(News.objects.filter(topic="need").values_list("party", "title"))
    assert (alice.party.id, "2 offers on your need were opened") in told
    assert (bob.party.id, "Your offer was picked: a hire waits for your signature") in told
    assert (mallory.party.id, "A need you offered on ended without your offer") in told
    assert (alice.party.id, "Your need ended with a hire") in told
    assert len(told) == 6
    assert Notice.objects.filter(user=bob.user).exists()


def test_a_need_is_posted_in_the_browser_and_a_wrong_amount_loses_nothing() -> None:
    alice = cast.alice()
    hers = browser_of(alice)
    assert "Write the pact first" in hers.get("/needs/new/").content.decode()
    asked = need_of(alice).pact_version
    page = hers.get("/needs/new/")
    at = clock() + timedelta(days=2)
    sent = {
        "title": "More numbers",
        "work": "arithmetic",
        "pact": asked.id,
        "ceiling": "x",
        "currency": "EUR",
        "offers_until": at.strftime("%Y-%m-%dT%H:%M"),
        "choose_until": (at + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M"),
        "samples": '{"input": {"number": 1}, "expected": {"answer": 2}}',
        press.FIELD: token_in(page),
    }
    refused = hers.post("/needs/new/", sent).content.decode()
    assert "More numbers" in refused
    assert Need.objects.count() == 1
    answer = hers.post("/needs/new/", sent | {"ceiling": "99.50"})
    assert answer.status_code == 302
    made = Need.objects.get(title="More numbers")
    assert made.ceiling == 9_950
    assert made.samples == [{"input": {"number": 1}, "expected": {"answer": 2}}]
    assert "More numbers" in browser_of(cast.bob()).get("/needs/").content.decode()


def test_a_version_of_another_builder_is_not_offered() -> None:
    alice, bob, mallory = cast.alice(), cast.bob(), cast.mallory()
    need, version = need_of(alice), agent_for(bob)
    answer = program_of(mallory).post(
        f"needs/{need.id}/offers", {"agent_version": version.id, "price": "1", "work_seconds": 60}
    )
    assert answer.status_code == 404
    assert AgentVersion.objects.count() == 1
