"""The page of production calls: windows as they stand, drift, staleness, and what is kept."""

from typing import Any

import pytest
from django.test import Client

from marketplace.pages.press import FIELD, new_token
from pacts.models import CallContent, CallPolicy
from reputation.models import Evidence
from tests import cast
from tests.pacts.live.hired import called, hire, record, report, uuid7, wrong

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True


def browser(actor: cast.Actor) -> Client:
    client = Client()
    client.force_login(actor.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_page_shows_a_breach_another_model_and_what_is_kept() -> None:
    alice, bob = cast.alice(), cast.bob()
    engagement = hire(alice=alice, bob=bob)
    path = f"/engagements/{engagement.pk}/calls/"
    assert "No calls were reported yet" in browser(alice).get(path).content.decode()
    report(alice, [record(engagement, model={"name": "m-1"})])
    report(alice, [wrong(engagement, model={"name": "m-2"}) for _ in range(4)])
    page = browser(bob).get(path).content.decode()
    assert 'data-window="form/1"' in page
    assert "the promise was shown broken" in page
    assert "data-stale" in page
    assert "Erase what was said" not in page
    assert "Erase what was said" in browser(alice).get(path).content.decode()
    assert browser(cast.mallory()).get(path).status_code == 404


def test_the_buyer_says_on_the_page_how_contents_are_kept() -> None:
    alice, bob = cast.alice(), cast.bob()
    engagement = hire(alice=alice, bob=bob)
    path = f"/engagements/{engagement.pk}/calls/policy/"
    one, other = {"keeps": "digests", "keep_days": "1"}, {"keeps": "full", "keep_days": "x"}
    browser(alice).post(path, other | {FIELD: new_token()})
    browser(bob).post(path, one | {FIELD: new_token()})
    browser(alice).post(path, one)
    assert not CallPolicy.objects.exists()
    browser(alice).post(path, one | {FIELD: new_token()})
    assert CallPolicy.objects.get().keeps == "digests"


def test_erasing_twice_by_one_press_is_done_once() -> None:
    alice, bob = cast.alice(), cast.bob()
    engagement = hire(alice=alice, bob=bob)
    report(alice, [record(engagement)])
    path, form = f"/engagements/{engagement.pk}/calls/erasure/", {FIELD: new_token()}
    browser(alice).post(path, form)
    browser(alice).post(path, form)
    assert Evidence.objects.filter(kind="calls.erased").count() == 1
    assert not CallContent.objects.exists()


def test_every_call_is_listed_and_opens_with_its_findings_and_what_was_said() -> None:
    alice, bob = cast.alice(), cast.bob()
    engagement = hire(alice=alice, bob=bob)
    good, bad = record(engagement, input={"text": "kept words"}), wrong(engagement)
    report(alice, [good, bad])
    path = f"/engagements/{engagement.pk}/calls/"
    listed = browser(bob).get(f"{path}list/").content.decode()
    assert listed.count('data-test="call"') == 2
    broken = browser(bob).get(f"{path}list/?show=fail").content.decode()
    assert broken.count('data-test="call"') == 1
    assert bad["call_id"].replace("-", "") in broken
    page = browser(bob).get(f"{path}{good['call_id']}/").content.decode()
    assert "kept words" in page
    assert "12.5 ms by the guard’s clock" in page
    assert 'data-test="finding"' in page
    for someone, status in ((cast.mallory(), 404), (alice, 200)):
        assert browser(someone).get(f"{path}{good['call_id']}/").status_code == status
    absent = f"{path}{uuid7()}/"
    assert browser(alice).get(absent).status_code == 404


def test_a_call_of_another_engagement_is_as_good_as_absent() -> None:
    alice, bob = cast.alice(), cast.bob()
    mine = hire(alice=alice, bob=bob)
    carol = cast.carol()
    other = hire(alice=carol, bob=bob, version=mine.agent_version)
    theirs = record(other)
    report(carol, [theirs])
    path = f"/engagements/{mine.pk}/calls"
    for one in (theirs["call_id"], uuid7()):
        assert browser(alice).get(f"{path}/{one}/").status_code == 404


def test_the_page_says_how_calls_are_drawn_for_people() -> None:
    alice, bob = cast.alice(), cast.bob()
    params = {"rubric": "The answer is one word in small letters.", "review_bps": 10_000}
    engagement = hire(called("read", check="reviewed", params=params), alice=alice, bob=bob)
    one = record(engagement)
    report(alice, [one])
    path = f"/engagements/{engagement.pk}/calls/"
    assert 'data-draw="read"' in browser(alice).get(path).content.decode()
    assert 'data-test="hearing"' in browser(alice).get(f"{path}{one['call_id']}/").content.decode()
