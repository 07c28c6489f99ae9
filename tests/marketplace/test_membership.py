"""Parties keep an owner, keys die with their reason, and nobody acts for a party not theirs."""

from datetime import timedelta

import pytest
from django.db import connections
from django.test import Client
from django.utils.timezone import now as clock

from marketplace.keys import KeyRefused, issue_key, key_with, revoke_key
from marketplace.membership import MemberRefused, add_member, change_role, remove_member
from pacts.models import Member
from tests import cast
from tests.marketplace.api.programs import Program, colleague, program_of
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db


def membership(actor: cast.Actor) -> Member:
    return Member.objects.get(user=actor.user, party=actor.party)


def test_the_last_owner_stays_an_owner() -> None:
    alice = cast.alice()
    with pytest.raises(MemberRefused, match="needs an owner"):
        remove_member(member=membership(alice))
    with pytest.raises(MemberRefused, match="needs an owner"):
        change_role(member=membership(alice), role=Member.Role.VIEWER)


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_remove_each_other_at_once_leave_one() -> None:
    alice = cast.alice()
    other = colleague(alice.party, Member.Role.OWNER)
    going = [membership(alice), membership(other)]

    def leave() -> None:
        try:
            remove_member(member=going.pop())
        finally:
            connections.close_all()

    in_parallel(2, leave)
    assert Member.objects.filter(party=alice.party, role=Member.Role.OWNER).count() == 1


def test_a_stranger_to_the_site_cannot_be_a_member() -> None:
    with pytest.raises(MemberRefused, match="sign up"):
        add_member(party=cast.alice().party, email="eve@example.org", role=Member.Role.VIEWER)


def test_somebody_is_a_member_once() -> None:
    alice = cast.alice()
    with pytest.raises(MemberRefused, match="already"):
        add_member(party=alice.party, email="ALICE@example.org", role=Member.Role.VIEWER)


def test_a_key_ends_when_it_is_revoked_when_it_expires_and_when_its_user_leaves() -> None:
    alice = cast.alice()
    robot = colleague(alice.party, Member.Role.EDITOR)
    programs = {why: program_of(robot) for why in ("revoked", "left")}
    assert all(program.get("me").status_code == 200 for program in programs.values())

    key = key_with(secret=programs["revoked"].secret, now=clock())
    assert key is not None
    revoke_key(key=key, now=clock())
    assert programs["revoked"].get("me").status_code == 401

    remove_member(member=membership(robot))
    assert programs["left"].get("me").status_code == 401


def test_at_the_very_moment_of_expiry_a_key_still_works_and_after_it_does_not() -> None:
    alice, now = cast.alice(), clock()
    ends = now + timedelta(minutes=1)
    secret = issue_key(
        party=alice.party, user=alice.user, name="k", scopes=["read"], now=now, expires_at=ends
    ).secret
    assert key_with(secret=secret, now=ends)
    assert not key_with(secret=secret, now=ends + timedelta(microseconds=1))


def test_a_key_needs_a_scope_that_exists() -> None:
    alice = cast.alice()
    for scopes in ([], ["everything"]):
        with pytest.raises(KeyRefused, match="scope"):
            issue_key(party=alice.party, user=alice.user, name="k", scopes=scopes, now=clock())


def test_a_browser_acts_for_the_party_it_names_and_for_no_party_of_others() -> None:
    alice, mallory = cast.alice(), cast.mallory()
    browser = Client()
    browser.force_login(alice.user)
    mine = browser.get("/api/v1/me", headers={"Earnest-Party": alice.party.id}).json()
    theirs = browser.get("/api/v1/me", headers={"Earnest-Party": mallory.party.id}).json()
    assert (mine["party"]["id"], theirs["party"]) == (alice.party.id, None)


@pytest.mark.parametrize(
    "amount",
    ["", "-1", "+1", "1.0", "1e3", "1_000", " 1", "１２", "٣", "1" * 16, 1.5, -1, True, None, [1]],
)
def test_an_amount_is_digits_and_nothing_else(amount: object) -> None:
    body = {"amount": amount, "currency": "EUR"}
    answer = program_of(cast.alice()).pay("deposits", body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "amount"


@pytest.mark.parametrize("currency", ["", "EURO", "eur", "XXX", "E\u0422R", 7, None])
def test_a_currency_is_one_the_ledger_keeps(currency: object) -> None:
    answer = program_of(cast.alice()).pay("deposits", {"amount": "1", "currency": currency})
    assert answer.status_code == 400


def test_the_public_reads_without_a_key() -> None:
    for path in ("agents", "listings", "pacts", "benchmark-claims", "evidence", "standings"):
        assert Program().get(path).status_code == 200, path
