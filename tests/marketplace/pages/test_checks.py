"""Every check can be read by anybody, by people and by programs."""

import pytest

from pacts.checks import CHECKS
from tests.marketplace.api.programs import Program
from tests.marketplace.pages.browsers import browser

pytestmark = pytest.mark.django_db


def test_programs_read_every_check_with_its_proof() -> None:
    found = Program().get("checks").json()
    assert [one["kind"] for one in found] == list(CHECKS)
    assert all(one["passes"] and one["fails"] and one["meaning"] for one in found)
    assert Program().get("checks/regex").json() == next(o for o in found if o["kind"] == "regex")
    assert Program().get("checks/vibes").status_code == 404


def test_every_kind_has_a_page_that_shows_its_fixtures() -> None:
    client = browser()
    listed = client.get("/checks/").content.decode()
    for kind, check in CHECKS.items():
        page = client.get(f"/checks/{kind}/").content.decode()
        assert f'href="/checks/{kind}/"' in listed
        assert page.count('data-test="proof"') == len(check.good) + len(check.bad)
    assert client.get("/checks/vibes/").status_code == 404
