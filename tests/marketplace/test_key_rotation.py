"""A key is changed for another without a moment in which programs have none."""

from datetime import timedelta

import pytest
from django.utils.timezone import now as clock

from marketplace import keys
from marketplace.keys import OVERLAP, IssuedKey, KeyRefused
from marketplace.models import ApiKey
from pacts.models import Member
from tests import cast
from tests.marketplace.api.programs import colleague, program_of
from tests.marketplace.pages.browsers import browser_of, token_in

pytestmark = pytest.mark.django_db


def issued(bob: cast.Actor, **more: object) -> IssuedKey:
    return keys.issue_key(
        party=bob.party,
        user=bob.user,
        name="ci",
        scopes=["read", "write"],
        now=clock(),
        **more,  # type: ignore[arg-type]
    )


def test_old_and_new_work_for_a_day_and_then_the_new_alone() -> None:
    old = issued(cast.bob())
    now = clock()
    new = keys.rotate_key(key=old.key, by=old.key.user, now=now)
    assert (new.key.name, new.key.scopes) == (old.key.name, old.key.scopes)
    for secret in (old.secret, new.secret):
        assert keys.key_with(secret=secret, now=now + OVERLAP)
    later = now + OVERLAP + timedelta(seconds=1)
    assert keys.key_with(secret=old.secret, now=later) is None
    assert keys.key_with(secret=new.secret, now=later)


def test_a_key_that_ends_sooner_keeps_its_end_and_so_does_its_successor() -> None:
    ends = clock() + timedelta(hours=1)
    old = issued(cast.bob(), expires_at=ends)
    new = keys.rotate_key(key=old.key, by=old.key.user, now=clock())
    old.key.refresh_from_db()
    assert old.key.expires_at == new.key.expires_at == ends


def test_what_is_over_is_not_rotated() -> None:
    old = issued(cast.bob())
    keys.revoke_key(key=old.key, now=clock())
    with pytest.raises(KeyRefused, match="issue a new one"):
        keys.rotate_key(key=old.key, by=old.key.user, now=clock())


def test_nobody_is_handed_a_key_that_acts_as_somebody_else() -> None:
    bob = cast.bob()
    old = issued(bob)
    erin = colleague(bob.party, Member.Role.OWNER)
    with pytest.raises(KeyRefused, match="issue your own"):
        keys.rotate_key(key=old.key, by=erin.user, now=clock())
    page = browser_of(erin).get("/keys/").content.decode()
    assert f"/keys/{old.key.id}/rotation/" not in page
    assert f"/keys/{old.key.id}/end/" in page
    answer = program_of(erin).post(f"keys/{old.key.id}/rotation")
    assert answer.status_code == 422, answer.content
    assert ApiKey.objects.filter(party=bob.party, user=bob.user).count() == 1


def test_the_page_shows_the_new_secret_once_and_to_nobody_else() -> None:
    bob = cast.bob()
    key = issued(bob).key
    client = browser_of(bob)
    there = f"/keys/{key.id}/rotation/"
    sent = {"idempotency_key": token_in(client.get("/keys/"))}
    shown = client.post(there, sent)
    assert 'data-test="secret"' in shown.content.decode()
    assert shown["Cache-Control"] == "no-store"
    assert 'data-test="secret"' not in client.get("/keys/").content.decode()
    assert browser_of(cast.mallory()).post(there, sent).status_code == 404
