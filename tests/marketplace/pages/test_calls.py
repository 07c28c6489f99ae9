"""The page of production calls: windows as they stand, drift, staleness, and what is kept."""

from typing import Any

import pytest
from django.test import Client

from pacts.models import CallPolicy
from tests import cast
from tests.pacts.live.hired import hire, record, report, wrong

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
    browser(alice).post(path, {"keeps": "full", "keep_days": "x"})
    browser(bob).post(path, {"keeps": "digests", "keep_days": "1"})
    assert not CallPolicy.objects.exists()
    browser(alice).post(path, {"keeps": "digests", "keep_days": "1"})
    assert CallPolicy.objects.get().keeps == "digests"
