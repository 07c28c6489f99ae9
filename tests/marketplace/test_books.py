"""Staff see what a rail says differently, and settle it with a reason, once."""

from datetime import timedelta

import pytest
from django.test import Client

from reputation.clock import database_now
from settlement.deposits import request_deposit
from settlement.models import Difference, DifferenceResolution, SandboxMovement
from settlement.money import Money
from settlement.reconciliation import reconcile
from tests import cast

pytestmark = pytest.mark.django_db(transaction=True)
ADD = "/office/settlement/differenceresolution/add/"


@pytest.fixture
def office() -> Client:
    browser = Client()
    browser.force_login(cast.actor("dora", is_staff=True).user)
    return browser


@pytest.fixture
def difference() -> Difference:
    now = database_now()
    request_deposit(
        party=cast.alice().party, money=Money(1_000, "USD"), idempotency_key="d", now=now
    )
    SandboxMovement.objects.update(amount=999)
    until = now + timedelta(minutes=1)
    reconcile(rail="sandbox", since=now - timedelta(days=1), until=until, now=now)
    return Difference.objects.get()


def test_the_list_says_what_differs_and_offers_to_settle_it(
    office: Client, difference: Difference
) -> None:
    page = office.get("/office/settlement/difference/").content.decode()
    assert "USD 999 succeeded" in page
    assert f"{ADD}?difference={difference.pk}" in page


def test_settling_needs_a_reason_and_says_who_and_why(
    office: Client, difference: Difference
) -> None:
    assert office.get(f"{ADD}?difference={difference.pk}").status_code == 200
    assert office.post(ADD, {"difference": difference.pk, "reason": " "}).status_code == 200
    assert not DifferenceResolution.objects.exists()
    said = {"difference": difference.pk, "reason": "<b>The bank's own fee.</b>"}
    assert office.post(ADD, said).status_code == 302
    stored = DifferenceResolution.objects.get()
    assert (stored.by.name, stored.reason) == ("Dora", said["reason"])
    page = office.get("/office/settlement/difference/").content.decode()
    assert "&lt;b&gt;The bank" in page
    office.post(ADD, said | {"reason": "Another one."})
    assert DifferenceResolution.objects.get() == stored


def test_nobody_else_settles_and_nobody_edits(office: Client, difference: Difference) -> None:
    alice = Client()
    alice.force_login(cast.mallory().user)
    assert alice.post(ADD, {"difference": difference.pk, "reason": "Mine."}).status_code == 403
    address = f"/office/settlement/difference/{difference.pk}/change/"
    assert office.get(address).status_code == 200
    assert office.post(address, {"ours": "x"}).status_code == 403
    assert not DifferenceResolution.objects.exists()
