"""The staff's consoles on pages: policy, gaming watch, agreement of judges."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from marketplace import policy
from marketplace.models import AgreementReport, Listing, Suspicion
from marketplace.policy_terms import SETTINGS
from pacts.models import PolicyVersion
from reputation.clock import database_now
from tests import cast
from tests.marketplace.market import one_of_everything
from tests.marketplace.pages.browsers import browser_of, token_in

pytestmark = pytest.mark.django_db


def send(client: Any, page: str, path: str, **fields: Any) -> Any:
    return client.post(path, {"idempotency_key": token_in(client.get(page))} | fields)


def console(**fields: int) -> dict[str, Any]:
    typed: dict[str, Any] = {key: one.default for key, one in SETTINGS.items()}
    return typed | {"seen": 0, "reason": "The desk asked for more time to read."} | fields


def test_a_policy_is_looked_at_then_changed_and_its_contradictions_are_named() -> None:
    erin = browser_of(cast.actor("erin", is_staff=True))
    bad = send(erin, "/policy/", "/policy/", **console(full_backstop=31))
    assert "keep money waiting longer" in bad.content.decode()
    look = send(erin, "/policy/", "/policy/", **console(full_negotiation=24)).content.decode()
    assert "has 24 hours instead of" not in look
    assert "both sides have 24 hours instead of 48 hours to agree" in look
    assert PolicyVersion.objects.count() == 0
    done = send(erin, "/policy/", "/policy/", **console(full_negotiation=24), agreed="on")
    assert done.status_code == 302, done.content.decode()
    assert policy.at(database_now()).values["full_negotiation"] == 24
    stale = send(erin, "/policy/", "/policy/", **console(funding=48), agreed="on")
    assert "somebody changed the policy" in stale.content.decode().lower()
    page = erin.get("/policy/").content.decode()
    assert "both sides have 24 hours instead of 48 hours to agree" in page


def test_a_change_of_money_terms_waits_for_a_second_person_on_its_page() -> None:
    erin = browser_of(cast.actor("erin", is_staff=True))
    second = browser_of(cast.actor("second", is_staff=True))
    done = send(erin, "/policy/", "/policy/", **console(fee_bps=600), agreed="on")
    there = done["Location"]
    assert policy.at(database_now()).fee_bps == 500
    assert "somebody else of the staff confirms it" in erin.get(there).content.decode()
    alone = send(erin, there, there, confirm="1")
    assert "you proposed this change" in alone.content.decode().lower()
    assert there in second.get("/policy/").content.decode()
    shown = second.get(there).content.decode()
    assert "the platform keeps 60.00 instead of 50.00" in shown
    assert send(second, there, there, confirm="1").status_code == 302
    assert policy.at(database_now()).fee_bps == 600
    assert "confirmed it" in erin.get(there).content.decode()
    assert browser_of(cast.mallory()).get(there).status_code == 403


def test_a_suspicion_is_frozen_and_released_on_its_page() -> None:
    market = one_of_everything()
    erin, there = (
        browser_of(cast.actor("erin", is_staff=True)),
        f"/gaming/{market.ids['suspicion']}/",
    )
    assert "nearly" not in erin.get("/gaming/").content.decode()
    why = "The register says that both are one."
    assert send(erin, there, f"{there}freeze/", reason=why).status_code == 302
    assert Listing.objects.get().state == "suspended"
    page = erin.get(there).content.decode()
    assert why in page
    assert "Gaming watch: suspend" in page
    assert send(erin, there, f"{there}release/", reason=why).status_code == 302
    assert Suspicion.objects.get(pk=market.ids["suspicion"]).state == "released"
    assert Listing.objects.get().state == "open"


def test_labels_are_loaded_from_a_file_and_shown_with_what_may_move_money() -> None:
    carol = browser_of(cast.carol())
    table = b"item,oracle,expert_1,expert_2,judge\n1,pass,pass,fail,pass\n2,fail,fail,fail,pass\n"
    file = SimpleUploadedFile("labels.csv", table)
    done = send(carol, "/agreement/", "/agreement/", name="A panel", file=file)
    assert done.status_code == 302, done.content.decode()
    page = carol.get(done["Location"]).content.decode()
    assert page.count('data-test="people-row"') == 1
    assert "lenient" in page
    assert "at least 200 are needed" in page
    wrong = send(
        carol, "/agreement/", "/agreement/", name="x", file=SimpleUploadedFile("x.csv", b"hello")
    )
    assert "no row of labels" in wrong.content.decode()
    assert AgreementReport.objects.count() == 1
