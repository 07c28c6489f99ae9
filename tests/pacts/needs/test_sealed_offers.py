"""Sealed offers: nobody reads them before the moment, and anybody checks them from the log then."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils.timezone import now as clock

from marketplace import erasure
from pacts import needs
from pacts.models import Need, SealedOffer
from pacts.needs import NeedClosed, NeedRefused, OfferRefused
from pacts.needs.commitments import commitment, document_of, holds
from reputation.models import Evidence
from tests import cast
from tests.pacts.needs.asked import HOUR, agent_for, need_of, offered

pytestmark = pytest.mark.django_db
TICK = timedelta(microseconds=1)


def told(kind: str, offer: SealedOffer) -> dict[str, Any]:
    """The one entry of this kind about an offer, as the log holds it."""
    rows = [json.loads(row.envelope) for row in Evidence.objects.filter(kind=kind)]
    [found] = [row for row in rows if row["subjects"].get("offer") == offer.id]
    return dict(found)


def everything_stored() -> str:
    """Every readable column of what an offer leaves behind."""
    texts = []
    with connection.cursor() as cursor:
        for table in ("pacts_sealedoffer", "pacts_need", "reputation_evidence"):
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t")
            texts += [row[0] for row in cursor.fetchall()]
    return "\n".join(texts)


def test_before_the_deadline_no_column_and_no_entry_of_the_log_says_what_was_offered() -> None:
    alice, bob = cast.alice(), cast.bob()
    version = agent_for(bob)
    one = offered(need_of(alice), bob, version, price=17_171, note="SENTINEL of bob")
    stored = everything_stored()
    assert "SENTINEL" not in stored
    assert "17171" not in stored
    sealed = told("offer.sealed", one)
    assert bob.party.id not in json.dumps(sealed)
    assert version.agent_id not in json.dumps(sealed)


def test_an_offer_sealed_under_the_formats_former_name_is_still_what_was_sealed() -> None:
    alice, bob = cast.alice(), cast.bob()
    need = need_of(alice)
    one = offered(need, bob, agent_for(bob))
    needs.reveal_due(now=need.offers_until + TICK)
    sealed, revealed = told("offer.sealed", one), told("offer.revealed", one)
    assert document_of(revealed)["format"] == "earnest-sealed-offer/1"
    for name, kept in (("earnest-offer/1", True), ("earnest-offer/2", False)):
        said = commitment(document_of(revealed, format=name))
        for entry in (sealed, revealed):
            entry["digests"]["commitment"] = said
        assert holds(sealed=sealed, revealed=revealed) is kept


def test_a_stranger_checks_each_revealed_offer_from_the_log_alone() -> None:
    alice, bob = cast.alice(), cast.bob()
    need = need_of(alice)
    one = offered(need, bob, agent_for(bob))
    assert needs.reveal_due(now=need.offers_until + TICK) == 1
    sealed, revealed = told("offer.sealed", one), told("offer.revealed", one)
    assert holds(sealed=sealed, revealed=revealed)
    for part, name, value in (
        *(("facts", "price", 1), ("facts", "work_seconds", 1)),
        *(
            ("subjects", "party", alice.party.id),
            ("digests", "note", sealed["digests"]["commitment"]),
        ),
    ):
        forged = {**revealed, part: revealed[part] | {name: value}}
        assert not holds(sealed=sealed, revealed=forged), name


@pytest.mark.parametrize(("late", "taken"), [(-TICK, True), (0 * TICK, True), (TICK, False)])
def test_an_offer_counts_at_exactly_the_deadline_and_not_after(late: Any, taken: bool) -> None:
    alice, bob = cast.alice(), cast.bob()
    need, version = need_of(alice), agent_for(bob)
    at = need.offers_until + late
    if taken:
        offered(need, bob, version, now=at)
        assert needs.reveal_due(now=at) == 0, "while an offer counts none is opened"
    else:
        with pytest.raises(NeedClosed):
            offered(need, bob, version, now=at)
        assert needs.reveal_due(now=at) == 1


def test_a_replaced_and_a_withdrawn_offer_are_never_opened() -> None:
    alice, bob, mallory = cast.alice(), cast.bob(), cast.mallory()
    need = need_of(alice)
    first = offered(need, bob, agent_for(bob), note="first")
    second = offered(need, bob, agent_for(bob, "Better"), price=9_000)
    offered(need, mallory, agent_for(mallory, "Cheap"), price=1)
    needs.take_back(need=need, builder=mallory.party, now=clock())
    needs.reveal_due(now=need.offers_until + TICK)
    states = dict(SealedOffer.objects.values_list("pk", "state"))
    assert states[first.pk] == "replaced"
    assert states[second.pk] == "revealed"
    assert sorted(states.values()) == ["replaced", "revealed", "withdrawn"]
    assert Evidence.objects.filter(kind="offer.revealed").count() == 1
    with pytest.raises(OfferRefused, match="no offer"):
        needs.take_back(need=need_of(alice), builder=mallory.party, now=clock())


def test_after_the_reveal_nothing_is_withdrawn_or_offered() -> None:
    alice, bob = cast.alice(), cast.bob()
    need, version = need_of(alice), agent_for(bob)
    offered(need, bob, version)
    needs.reveal_due(now=need.offers_until + TICK)
    before = need.offers_until  # a clock that goes back opens nothing again
    with pytest.raises(NeedClosed):
        offered(need, bob, version, now=before)
    with pytest.raises(NeedClosed):
        needs.take_back(need=need, builder=bob.party, now=before)
    with pytest.raises(NeedRefused):
        needs.withdraw_need(need=need, buyer=alice.party, now=before)


def test_a_need_without_offers_ends_and_one_without_a_choice_ends_strictly_after_its_time() -> None:
    alice, bob = cast.alice(), cast.bob()
    empty, need = need_of(alice), need_of(alice)
    one = offered(need, bob, agent_for(bob))
    needs.reveal_due(now=max(need.offers_until, empty.offers_until) + TICK)
    empty.refresh_from_db()
    assert (empty.state, empty.ended_as) == ("closed", "no_offers")
    assert needs.close_unchosen(now=need.choose_until) == 0
    assert needs.close_unchosen(now=need.choose_until + TICK) == 1
    need.refresh_from_db()
    assert (need.state, need.ended_as) == ("closed", "no_pick")
    assert told("offer.ended", one)["facts"] == {"outcome": "passed_over"}


def test_a_withdrawn_need_opens_nothing() -> None:
    alice, bob = cast.alice(), cast.bob()
    need = need_of(alice)
    offered(need, bob, agent_for(bob))
    with pytest.raises(NeedRefused, match="only the party"):
        needs.withdraw_need(need=need, buyer=bob.party, now=clock())
    needs.withdraw_need(need=need, buyer=alice.party, now=clock())
    assert needs.reveal_due(now=need.choose_until) == 0
    assert not Evidence.objects.filter(kind="offer.revealed").exists()
    assert Need.objects.get().ended_as == "withdrawn"


def test_what_cannot_be_offered_says_why() -> None:
    alice, bob, mallory = cast.alice(), cast.bob(), cast.mallory()
    need, version = need_of(alice), agent_for(bob)
    for changes, why in (
        ({"price": 20_001}, "at most what the buyer"),
        ({"price": 0}, "above zero"),
        ({"work_seconds": 0}, "how long"),
        ({"note": "x" * 4_001}, "shorten"),
    ):
        with pytest.raises(OfferRefused, match=why):
            offered(need, bob, version, **changes)
    with pytest.raises(OfferRefused, match="your own agents"):
        offered(need, mallory, version)
    with pytest.raises(OfferRefused, match="its own need"):
        offered(need, alice, agent_for(alice, "Hers"))
    assert not SealedOffer.objects.exists()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"title": " "}, "title"),
        ({"ceiling": 0}, "above zero"),
        ({"offers_until": clock() - HOUR}, "ten minutes"),
        ({"choose_until": clock() + timedelta(minutes=30)}, "after the offers"),
        ({"starts_on": clock().date() - timedelta(days=1)}, "before today"),
    ],
)
def test_what_cannot_be_posted_says_what_to_change(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(NeedRefused, match=why):
        need_of(cast.alice(), **changes)


def test_a_need_is_posted_under_a_pact_of_its_own_party() -> None:
    other = need_of(cast.mallory())
    with pytest.raises(NeedRefused, match="a pact of your own"):
        need_of(cast.alice(), pact_version=other.pact_version)


def test_one_need_whose_seal_is_broken_holds_up_no_other(
    caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    alice, bob = cast.alice(), cast.bob()
    broken, sound = need_of(alice), need_of(alice)
    settings.SECRET_KEY, kept = "another key for a moment", settings.SECRET_KEY
    offered(broken, bob, agent_for(bob))
    settings.SECRET_KEY = kept
    offered(sound, bob, agent_for(bob, "Second"))
    assert needs.reveal_due(now=sound.offers_until + TICK) == 1
    assert Need.objects.get(pk=sound.pk).state == "revealed"
    assert Need.objects.get(pk=broken.pk).state == "open"
    assert "could not be opened" in caplog.text


def test_a_sealed_text_is_erased_and_never_replaced() -> None:
    alice, bob = cast.alice(), cast.bob()
    offer = offered(need_of(alice), bob, agent_for(bob))
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        SealedOffer.objects.filter(pk=offer.pk).update(sealed="something else")
    SealedOffer.objects.filter(pk=offer.pk).update(sealed="")
    offer.refresh_from_db()
    assert needs.opened_for_its_builder(offer) == {"document": {}, "note": "", "salt": ""}


def test_a_need_whose_offers_never_open_ends_with_its_time_and_keeps_them_no_longer(
    settings: Any,
) -> None:
    alice, bob = cast.alice(), cast.bob()
    need = need_of(alice)
    settings.SECRET_KEY, kept = "another key for a moment", settings.SECRET_KEY
    offered(need, bob, agent_for(bob))
    settings.SECRET_KEY = kept
    assert needs.reveal_due(now=need.choose_until) == 0
    asked = erasure.erase(subject_id=bob.party.pk, reason="request", now=need.choose_until)
    assert [one.until for one in asked.waiting] == [need.choose_until]
    assert needs.close_unchosen(now=need.choose_until) == 0
    assert needs.close_unchosen(now=need.choose_until + TICK) == 1
    need.refresh_from_db()
    assert (need.state, need.ended_as) == ("closed", "no_pick")
    assert erasure.erase_due(now=need.choose_until + TICK) == 1
    assert SealedOffer.objects.get().sealed == ""
