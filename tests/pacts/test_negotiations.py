"""Talking about terms: who offers and answers what, until when, and that one thing comes of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.utils import IntegrityError, ProgrammingError

from marketplace import erasure
from pacts import negotiations, proposals, signatures, tasksets, terms
from pacts.engagements import EngagementRefused, NotAParty
from pacts.models import Engagement, Negotiation, PactVersion, Proposal, Signature
from pacts.negotiations import NotYourOffer, Offer
from pacts.offered import OfferedMilestone
from pacts.proposals import ProposalClosed, ProposalRefused
from pacts.publishing import PactRefused
from reputation.models import Evidence
from settlement import engagements as signing
from tests import cast
from tests.pacts.talks import FEE, STANDS, START, TICK, Talks, promising, talks
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(settings: Any) -> Talks:
    settings.EGRESS_ALLOW_LOOPBACK = True
    return talks()


def agree(last: Proposal, who: cast.Actor, *, now: Any = START) -> Engagement:
    return signing.agree(proposal=last, party=who.party, by=who.user, authority="owner", now=now)


def states(negotiation: Negotiation) -> list[str]:
    return list(negotiation.proposals.order_by("number").values_list("state", flat=True))


def test_accepting_makes_one_agreement_that_both_signed(here: Talks) -> None:
    offer = here.begin()
    engagement = agree(offer, here.bob)
    assert engagement.state == "active"
    assert engagement.id == offer.engagement_ref
    assert engagement.digest == offer.digest
    signed = Signature.objects.filter(digest=offer.digest).order_by("id")
    assert {row.party_id for row in signed} == {here.alice.party.id, here.bob.party.id}
    assert all(signatures.holds(row) for row in signed)
    assert signed.get(party=here.alice.party).authority == offer.id


def test_what_is_agreed_is_a_pact_of_its_own_that_names_what_it_changed(here: Talks) -> None:
    engagement = agree(here.begin(), here.bob)
    version = PactVersion.objects.get(pk=engagement.pact_version_id)
    assert version.published_at is None
    assert version.agreed_at == START
    assert terms.parse(version.terms).clause("accuracy").promise_bps == 9500
    facts = Evidence.objects.get(kind="pact.agreed").read()
    assert facts["facts"]["stricter"] == 1
    assert facts["facts"]["weakens"] is False
    assert facts["digests"]["published_terms"] == here.published.digest


def test_a_price_alone_keeps_the_published_pact(here: Talks) -> None:
    engagement = agree(here.begin(here.terms(price=8_000)), here.bob)
    assert engagement.pact_version_id == here.published.id
    assert not Evidence.objects.filter(kind="pact.agreed").exists()


def test_the_second_agreement_of_a_buyer_is_the_next_version_of_its_own_pact(here: Talks) -> None:
    one = agree(here.begin(), here.bob)
    two = agree(here.begin(here.terms(promise=9600)), here.bob)
    versions = [PactVersion.objects.get(pk=e.pact_version_id) for e in (one, two)]
    assert [row.number for row in versions] == [1, 2]
    assert versions[0].pact_id == versions[1].pact_id != here.published.pact_id


def test_an_agreed_pact_is_frozen_by_the_database(here: Talks) -> None:
    engagement = agree(here.begin(), here.bob)
    with pytest.raises((IntegrityError, ProgrammingError)):
        PactVersion.objects.filter(pk=engagement.pact_version_id).update(number=9)


def test_talk_leaves_no_evidence(here: Talks) -> None:
    before = Evidence.objects.count()
    offer = here.answer(here.begin(note="too dear"), here.bob, here.terms(promise=9200))
    negotiations.decline(proposal=offer, party=here.alice.party, by=here.alice.user, now=START)
    assert Evidence.objects.count() == before


def test_what_was_said_is_sealed_at_rest(here: Talks) -> None:
    offer = here.begin(note="our secret margin")
    with connection.cursor() as cursor:
        cursor.execute("SELECT terms, note FROM pacts_proposal WHERE id = %s", [offer.id])
        stored = " ".join(cursor.fetchone())
    assert "margin" not in stored
    assert "promise_bps" not in stored


def test_a_counter_closes_the_offer_before_it(here: Talks) -> None:
    first = here.begin()
    second = here.answer(first, here.bob, here.terms(promise=9200, price=9_000))
    assert states(first.negotiation) == ["countered", "open"]
    assert second.number == 2
    with pytest.raises(ProposalClosed, match="countered"):
        agree(first, here.bob)


def test_a_side_may_replace_its_own_offer(here: Talks) -> None:
    first = here.begin()
    here.answer(first, here.alice, here.terms(promise=9500, price=8_500))
    assert states(first.negotiation) == ["replaced", "open"]


def test_nobody_accepts_an_offer_of_its_own(here: Talks) -> None:
    with pytest.raises(NotYourOffer):
        agree(here.begin(), here.alice)


@pytest.mark.parametrize("act", [negotiations.decline, negotiations.withdraw])
def test_declining_is_the_other_sides_and_taking_back_ones_own(
    here: Talks, act: Callable[..., Proposal]
) -> None:
    offer = here.begin()
    wrong, right = (here.alice, here.bob) if act is negotiations.decline else (here.bob, here.alice)
    with pytest.raises(NotYourOffer):
        act(proposal=offer, party=wrong.party, by=wrong.user, now=START)
    act(proposal=offer, party=right.party, by=right.user, now=START)
    assert Negotiation.objects.get().state in ("declined", "withdrawn")


def test_a_stranger_does_nothing_in_it(here: Talks) -> None:
    offer, mallory = here.begin(), cast.mallory()
    for act in (negotiations.decline, negotiations.withdraw):
        with pytest.raises(NotAParty):
            act(proposal=offer, party=mallory.party, by=mallory.user, now=START)
    with pytest.raises(NotAParty):
        agree(offer, mallory)
    with pytest.raises(NotAParty):
        here.answer(offer, mallory, here.terms(promise=9100))


def test_exactly_at_its_expiry_an_offer_is_still_accepted(here: Talks) -> None:
    assert agree(here.begin(), here.bob, now=START + STANDS).state == "active"


def test_a_microsecond_after_its_expiry_it_is_not(here: Talks) -> None:
    offer = here.begin()
    with pytest.raises(ProposalClosed, match="ran out"):
        agree(offer, here.bob, now=START + STANDS + TICK)
    assert not Engagement.objects.exists()


def test_the_sweep_ends_what_ran_out_and_nothing_before(here: Talks) -> None:
    offer = here.begin()
    assert negotiations.expire_due(now=START + STANDS) == 0
    assert negotiations.expire_due(now=START + STANDS + TICK) == 1
    assert states(offer.negotiation) == ["expired"]
    assert Negotiation.objects.get().state == "expired"


@pytest.mark.parametrize("seconds", [0, 3599, 14 * 24 * 3600 + 1])
def test_an_offer_stands_within_limits(here: Talks, seconds: int) -> None:
    with pytest.raises(ProposalRefused, match="1 hour"):
        here.begin(stands_seconds=seconds)


def test_the_listed_terms_are_signed_and_not_negotiated(here: Talks) -> None:
    with pytest.raises(ProposalRefused, match="sign it instead"):
        here.begin(here.listed)


def test_the_same_terms_again_are_no_counter(here: Talks) -> None:
    with pytest.raises(ProposalRefused, match="accept it"):
        here.answer(here.begin(), here.bob, here.terms(promise=9500, price=8_000))


def test_what_the_linter_refuses_cannot_be_offered(here: Talks) -> None:
    vacuous = terms.to_json(here.listed.pact)
    vacuous["clauses"][0]["params"] = {}  # type: ignore[index, call-overload]
    with pytest.raises((PactRefused, EngagementRefused)):
        here.begin(replace(here.listed, pact=terms.parse(vacuous)))
    assert not Negotiation.objects.exists()


def test_the_builder_brings_no_tasks_of_its_own(here: Talks) -> None:
    first = here.begin()
    easy = cast.golden_set(here.bob, cast.doubling_tasks(20))
    milestone = OfferedMilestone(title="Easy", amount=10_000, task_set_version=easy.id)
    with pytest.raises(ProposalRefused, match="buyer chooses the tasks"):
        here.answer(first, here.bob, here.terms(milestones=(milestone,)))


def test_a_refused_counter_leaves_the_offer_open(here: Talks) -> None:
    first = here.begin()
    with pytest.raises(EngagementRefused):
        here.answer(first, here.bob, here.terms(price=0, promise=9500))
    assert states(first.negotiation) == ["open"]


def test_an_open_offer_says_what_it_said(here: Talks) -> None:
    offer = here.begin()
    offer.note = "another"
    with pytest.raises((IntegrityError, ProgrammingError)):
        offer.save(update_fields=["note"])


def test_what_was_only_talked_about_can_be_emptied_once_it_is_over(here: Talks) -> None:
    offer = here.begin(note="secret")
    negotiations.withdraw(proposal=offer, party=here.alice.party, by=here.alice.user, now=START)
    Proposal.objects.filter(pk=offer.pk).update(terms="", note="")
    with pytest.raises(ProposalClosed, match="erased"):
        proposals.terms_of(Proposal.objects.get())


def test_an_agreement_the_agent_may_not_carry_leaves_the_offer_open(here: Talks) -> None:
    dear = here.begin(here.terms(price=900_000_00))
    with pytest.raises(Exception, match="more than the"):
        agree(dear, here.bob)
    assert states(dear.negotiation) == ["open"]
    assert not Signature.objects.filter(digest=dear.digest).exists()


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def one_outcome(self, here: Talks, offer: Proposal, *acts: Callable[[], Any]) -> list[Any]:
        waiting = list(acts)
        results = in_parallel(len(acts), lambda: waiting.pop()())
        done = [one for one in results if not isinstance(one, Exception) and one is not False]
        assert len(done) == 1, results
        offer.refresh_from_db()
        assert offer.state != "open"
        agreed = Engagement.objects.filter(pk=offer.engagement_ref).count()
        assert agreed == (offer.state == "accepted")
        return results

    @pytest.mark.parametrize("turn", range(3))
    def test_accepting_and_taking_back(self, here: Talks, turn: int) -> None:
        offer = here.begin()
        self.one_outcome(
            here,
            offer,
            lambda: agree(offer, here.bob),
            lambda: negotiations.withdraw(
                proposal=offer, party=here.alice.party, by=here.alice.user, now=START
            ),
        )

    @pytest.mark.parametrize("turn", range(3))
    def test_accepting_and_countering(self, here: Talks, turn: int) -> None:
        offer = here.begin()
        self.one_outcome(
            here,
            offer,
            lambda: agree(offer, here.bob),
            lambda: here.answer(offer, here.bob, here.terms(promise=9100)),
        )

    def test_accepting_and_running_out(self, here: Talks) -> None:
        offer = here.begin()
        late = START + STANDS + TICK
        self.one_outcome(
            here,
            offer,
            lambda: agree(offer, here.bob, now=START + STANDS),
            lambda: negotiations.expire_due(now=late) == 1,
        )

    def test_accepting_twice(self, here: Talks) -> None:
        offer = here.begin()
        self.one_outcome(here, offer, *[lambda: agree(offer, here.bob)] * 4)
        assert Engagement.objects.count() == 1

    def test_countering_twice(self, here: Talks) -> None:
        offer = here.begin()
        self.one_outcome(
            here,
            offer,
            *[lambda: here.answer(offer, here.bob, here.terms(promise=9100))] * 3,
        )
        assert states(offer.negotiation) == ["countered", "open"]


def test_the_fee_of_the_offer_binds(here: Talks) -> None:
    offer = Offer(
        party=here.alice.party,
        by=here.alice.user,
        terms=here.terms(promise=9500),
        fee=replace(FEE, bps=700),
        stands_seconds=7200,
    )
    made = negotiations.open_negotiation(
        agent_version=here.version,
        published=here.published,
        currency="EUR",
        listed=here.listed,
        offer=offer,
        now=START,
    )
    engagement = agree(made, here.bob, now=START + timedelta(hours=1))
    assert engagement.fee_bps == 700
    assert engagement.proposed_at == START


def test_the_promise_alone_changes_the_text(here: Talks) -> None:
    assert terms.digest(promising(here.listed.pact, 9000)) == here.published.digest


def test_a_person_who_asks_is_erased_from_an_open_offer_once_it_is_over(here: Talks) -> None:
    offer = here.begin(note="secret")
    erased = erasure.erase(subject_id=here.alice.party.id, reason="data_subject_request", now=START)
    assert {one.case_id for one in erased.waiting} == {offer.id, offer.negotiation_id}
    assert Proposal.objects.get().note == "secret"
    late = START + STANDS + TICK
    negotiations.expire_due(now=late)
    assert erasure.erase_due(now=late) == 1
    offer.refresh_from_db()
    assert (offer.terms, offer.note, Negotiation.objects.get().listed) == ("", "", "")


def test_an_offer_that_was_countered_is_erased_when_the_talk_ends_and_not_under_it(
    here: Talks,
) -> None:
    first = here.begin(note="secret")
    second = here.answer(first, here.bob, here.terms(promise=9100))
    asked = erasure.erase(subject_id=here.alice.party.id, reason="data_subject_request", now=START)
    assert first.id in {one.case_id for one in asked.waiting}
    assert proposals.terms_of(Proposal.objects.get(pk=first.pk)), "what the counter changed"
    negotiations.withdraw(proposal=second, party=here.bob.party, by=here.bob.user, now=START)
    assert erasure.erase_due(now=START) == 1
    first.refresh_from_db()
    assert (first.terms, first.note) == ("", "")


def test_a_counter_over_tasks_of_another_kind_of_work_is_refused(here: Talks) -> None:
    first = here.begin()
    other = tasksets.create_task_set(
        owner=here.alice.party,
        name="Mail",
        work="email",
        tasks=cast.doubling_tasks(30),
        now=START,
    )
    (one,) = here.listed.milestones
    asked = here.terms(
        promise=9600, milestones=(replace(one, task_set_version=other.id, amount=7_000),)
    )
    with pytest.raises(EngagementRefused, match="the agent does “arithmetic”"):
        here.answer(first, here.alice, asked)
    assert states(first.negotiation) == ["open"]
