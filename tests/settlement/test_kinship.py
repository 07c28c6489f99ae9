"""A breached builder gains nothing by founding another party; no stranger is tied to it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pacts import registry
from pacts.models import AgentVersion, Member, Party
from reputation.clock import database_now
from reputation.models import StandingScore
from settlement.exposure import BREACHED, NEWCOMER, Room
from settlement.kinship import MOST_TENANTS, kin_of
from settlement.limits import room_for
from settlement.money import Money
from settlement.payouts import request_payout
from tests import cast
from tests.settlement.hires import START, give

pytestmark = pytest.mark.django_db
HOST = "https://agents.example.org"


def breached(version: AgentVersion) -> AgentVersion:
    StandingScore.objects.create(
        version_id=version.pk,
        agent_id=version.agent_id,
        rank=3_000,
        score_bps=3_000,
        is_vouched=False,
        status="breached",
        units=200,
        scored_at=START,
    )
    return version


def old_party() -> cast.Actor:
    """mallory's, whose agent has a pact and a breach, and proved that its host is its own."""
    mallory = cast.mallory()
    version = cast.agent_of(mallory, f"{HOST}/old", name="Old name")
    cast.pact_of(version, mallory)
    prove(version)
    breached(version)
    return mallory


def prove(version: AgentVersion) -> None:
    version.agent.control_proved_at = START
    version.agent.save(update_fields=["control_proved_at"])


def party(name: str, *members: tuple[cast.Actor, Member.Role]) -> cast.Actor:
    made = Party.objects.create(name=name)
    for actor, role in members:
        Member.objects.create(party=made, user=actor.user, role=role)
    return cast.Actor(members[0][0].user, made)


def agent(builder: cast.Actor, path: str = "", name: str = "New name") -> AgentVersion:
    return cast.agent_of(builder, path or cast.DEAD_END, name=name)


def room(version: AgentVersion) -> Room:
    return room_for(agent_id=version.agent_id, version_id=version.pk, currency="USD", now=START)


def paid(actor: cast.Actor, to: str, *, day: int) -> None:
    give(actor, 400, key=f"{day}:{actor.party.pk}")
    request_payout(
        party=actor.party,
        money=Money(400, "USD"),
        idempotency_key=str(day),
        rail="stripe",
        destination=to,
        cooldown=timedelta(days=1),
        now=START + timedelta(days=day),
    )


@pytest.mark.parametrize("role", ["owner", "finance", "editor"])
def test_a_new_party_of_who_signed_for_a_breached_one_carries_no_more(role: str) -> None:
    mallory = old_party()
    front = party("Clean Ltd", (mallory, Member.Role(role)))
    found = room(agent(front))
    assert (found.limit.amount, found.sharing, found.kin) == (BREACHED, 2, 1)
    assert "an agent of a party connected with this builder" in found.limit.because
    assert mallory.party.name not in found.limit.because  # whom it is connected with is nobody's
    assert [one.how for one in kin_of(party_id=front.party.pk)] == [("person",)]


def test_a_straw_man_in_front_changes_nothing_while_the_old_owner_acts() -> None:
    mallory, straw = old_party(), cast.actor("sam")
    front = party("Clean Ltd", (straw, Member.Role.OWNER), (mallory, Member.Role.EDITOR))
    assert room(agent(front)).limit.amount == BREACHED


def test_leaving_the_old_party_breaks_no_tie_for_what_was_signed_stays_signed() -> None:
    mallory = old_party()
    Member.objects.filter(user=mallory.user).delete()
    front = party("Clean Ltd", (mallory, Member.Role.OWNER))
    assert room(agent(front)).limit.amount == BREACHED


def test_a_viewer_acts_for_nobody() -> None:
    mallory, straw = old_party(), cast.actor("sam")
    front = party("Clean Ltd", (straw, Member.Role.OWNER), (mallory, Member.Role.VIEWER))
    assert room(agent(front)).limit.amount == NEWCOMER


def test_naming_an_honest_builder_a_member_of_a_breached_party_harms_it_in_nothing() -> None:
    mallory, bob = old_party(), cast.bob()
    Member.objects.create(party=mallory.party, user=bob.user, role=Member.Role.OWNER)
    version = agent(bob)
    cast.pact_of(version, bob)
    assert kin_of(party_id=bob.party.pk) == []
    assert room(version).limit.amount == NEWCOMER


def test_who_is_paid_where_a_breached_party_was_paid_before_is_its_kin(settings: object) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test"  # type: ignore[attr-defined]
    mallory, straw = old_party(), cast.actor("sam")
    version = agent(straw)
    assert room(version).limit.amount == NEWCOMER
    paid(mallory, "acct_m", day=1)
    paid(straw, "acct_m", day=2)
    assert [one.how for one in kin_of(party_id=straw.party.pk)] == [("account",)]
    assert room(version).limit.amount == BREACHED


def test_paying_into_a_strangers_account_ties_it_to_nobody(settings: object) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test"  # type: ignore[attr-defined]
    bob, mallory = cast.bob(), old_party()
    paid(bob, "acct_b", day=1)
    paid(mallory, "acct_b", day=2)
    paid(bob, "acct_b", day=3)
    assert kin_of(party_id=bob.party.pk) == []


def test_the_sandbox_has_words_for_accounts_and_ties_nobody() -> None:
    mallory, straw = old_party(), cast.actor("sam")
    for actor in (mallory, straw):
        give(actor, 400, key=actor.party.pk)
        request_payout(
            party=actor.party, money=Money(400, "USD"), idempotency_key="p", now=database_now()
        )
    assert kin_of(party_id=straw.party.pk) == []


def test_an_agent_that_answers_where_a_breached_one_did_before_carries_no_more() -> None:
    old_party()
    straw = cast.actor("sam")
    found = room(agent(straw, f"{HOST.upper().replace('HTTPS', 'https')}/new"))
    assert (found.limit.amount, found.by_kin) == (BREACHED, True)
    assert [one.how for one in kin_of(party_id=straw.party.pk)] == [("host",)]


def test_registering_at_a_strangers_host_ties_it_to_nobody() -> None:
    bob = cast.bob()
    version = agent(bob, f"{HOST}/bob", name="Bob's")
    old_party()  # later, at bob's host
    assert kin_of(party_id=bob.party.pk) == []
    assert room(version).limit.amount == NEWCOMER


def test_an_endpoint_nobody_proved_to_control_ties_nobody() -> None:
    mallory, straw = cast.mallory(), cast.actor("sam")
    breached(agent(mallory, f"{HOST}/old", name="Old name"))
    assert room(agent(straw, f"{HOST}/new")).limit.amount == NEWCOMER


def test_a_host_of_many_parties_is_a_landlords_and_ties_nobody() -> None:
    old_party()
    for number in range(MOST_TENANTS):
        tenant = cast.actor(f"tenant{number}")
        last = agent(tenant, f"{HOST}/{number}", name=f"Tenant {number}")
    assert room(last).limit.amount == NEWCOMER


def test_loopback_is_everybodys_host() -> None:
    mallory, bob = cast.mallory(), cast.bob()
    old = agent(mallory, "http://127.0.0.1:9999/old", name="Old name")
    prove(old)
    breached(old)
    assert room(agent(bob, "http://127.0.0.1:9999/new")).limit.amount == NEWCOMER


def test_a_chain_of_fronts_is_followed_to_its_end() -> None:
    mallory, straw, third = old_party(), cast.actor("sam"), cast.actor("tom")
    middle = party("Middle Ltd", (mallory, Member.Role.OWNER))
    version = agent(middle, "https://middle.example.org/run", name="Middle")
    prove(version)
    cast.pact_of(version, cast.Actor(straw.user, middle.party))
    front = party("Front Ltd", (third, Member.Role.OWNER), (straw, Member.Role.EDITOR))
    assert mallory.party.pk not in {one.party_id for one in kin_of(party_id=front.party.pk)}
    cast.pact_of(version, mallory, cast.pact_terms(title="Doubling, again"))
    assert mallory.party.pk in {one.party_id for one in kin_of(party_id=front.party.pk)}
    assert room(agent(front)).limit.amount == BREACHED


def test_a_new_version_of_the_new_agent_gains_nothing_either() -> None:
    mallory = old_party()
    front = party("Clean Ltd", (mallory, Member.Role.OWNER))
    old = agent(front)
    new = registry.add_version(
        agent=old.agent,
        endpoint=old.endpoint,
        protocol=old.protocol,
        declared={"model": "other"},
        max_concurrency=old.max_concurrency,
        deadline_ms=old.deadline_ms,
        now=START,
    )
    assert room(new).limit.amount == BREACHED


def test_the_kin_of_a_party_are_one_question_to_the_database() -> None:
    mallory = old_party()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        kin_of(party_id=mallory.party.pk)
    assert len(asked) == 1
