"""Staff see through the API what a rail's books and ours say differently, and settle it once."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now as clock

from settlement import reconciliation
from settlement.models import Difference, SandboxMovement
from tests import cast
from tests.marketplace.api.programs import Program, program_of

pytestmark = pytest.mark.django_db
REASON = {"reason": "The bank wired it by hand; the slip is in the file."}


@pytest.fixture
def difference() -> Difference:
    SandboxMovement.objects.create(
        kind="deposit", reference="x", place="p", amount=5, currency="KWD", state="succeeded"
    )
    now = clock()
    reconciliation.reconcile(
        rail="sandbox", since=now - timedelta(days=1), until=now + timedelta(days=1), now=now
    )
    return Difference.objects.get()


@pytest.fixture
def erin() -> Program:
    return program_of(cast.actor("erin", is_staff=True))


def test_staff_read_every_difference_and_the_run_that_found_it(
    erin: Program, difference: Difference
) -> None:
    listed = erin.get("differences?settled=false&rail=sandbox&kind=missing_here").json()["results"]
    assert [one["id"] for one in listed] == [difference.id]
    one: dict[str, Any] = erin.get(f"differences/{difference.id}").json()
    assert (one["ours"], one["theirs"]) == ("nothing", "KWD 5 succeeded")
    assert one["resolution"] is None
    run = erin.get("reconciliations").json()["results"][0]
    assert run["id"] == one["reconciliation"]
    assert run["totals"] == {"KWD": {"rail": "5", "ledger": "0"}}


def test_a_difference_is_settled_once_with_a_reason_and_its_name(
    erin: Program, difference: Difference
) -> None:
    path = f"differences/{difference.id}/resolution"
    made = erin.pay(path, REASON, key="k")
    assert (made.status_code, made.json()["reason"]) == (201, REASON["reason"])
    assert erin.pay(path, REASON, key="k").json() == made.json()
    assert erin.pay(path, REASON).status_code == 409
    assert erin.get("differences?settled=false").json()["results"] == []
    settled = erin.get(f"differences/{difference.id}").json()["resolution"]
    assert settled["by"] == made.json()["by"]


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "   "}, {"reason": "x" * 1_001}])
def test_without_a_reason_nothing_is_settled(
    erin: Program, difference: Difference, body: dict[str, str]
) -> None:
    assert erin.pay(f"differences/{difference.id}/resolution", body).status_code in (400, 422)
    assert reconciliation.open_differences().count() == 1


def test_a_key_that_may_read_settles_nothing(difference: Difference) -> None:
    reader = program_of(cast.actor("frank", is_staff=True), ["read"])
    assert reader.get(f"differences/{difference.id}").status_code == 200
    assert reader.pay(f"differences/{difference.id}/resolution", REASON).status_code == 403


def test_nobody_else_learns_whether_there_is_a_difference(difference: Difference) -> None:
    for who in (program_of(cast.alice()), program_of(cast.carol())):
        there = who.get(f"differences/{difference.id}")
        assert there.status_code == 403
        assert there.content == who.get("differences/dif_0190f3c2a1b27c3d8e4f5a6b7c8d9e0f").content
        assert who.pay(f"differences/{difference.id}/resolution", REASON).status_code == 403
    assert Program().get(f"differences/{difference.id}").status_code == 401
