"""One hire from deposit to statement, on pages, in a currency of each number of decimals."""

import csv
import json
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.utils.timezone import now as clock
from pypdf import PdfReader

from marketplace import hiring
from pacts.engagements import Timers
from pacts.models import Engagement, Evaluation, Verdict
from settlement import ledger, receipts
from settlement.audit import audit
from settlement.models import Escrow, Receipt
from tests import cast
from tests.marketplace.pages.browsers import browser_of, token_in

pytestmark = pytest.mark.django_db(transaction=True)

# Price and 5 % fee in minor units; what pages write for deposit, price, release and fee.
CURRENCIES = [
    ("JPY", 1_500, ("2000", "2,000", "1,500", "1,425", "75")),
    ("EUR", 1_250, ("20.5", "20.50", "12.50", "11.88", "0.62")),
    ("KWD", 1_255, ("2.005", "2.005", "1.255", "1.192", "0.063")),
    ("USDC", 1_000_001, ("1.000002", "1.000002", "1.000001", "0.950001", "0.050000")),
]


@pytest.mark.parametrize(("currency", "price", "written"), CURRENCIES)
def test_money_keeps_its_last_decimal_on_every_page_it_passes(
    currency: str, price: int, written: tuple[str, ...]
) -> None:
    typed, came, priced, released, fee = written
    alice, bob = cast.alice(), cast.bob()
    hers, his = browser_of(alice), browser_of(bob)
    slug = listed(bob, alice, price, currency)
    assert priced in hers.get(f"/agents/{slug}/").content.decode()

    fields = {"amount": typed, "currency": currency, "rail": "sandbox"}
    press(hers, "/money/", "/money/deposits/", **fields)
    assert came in hers.get("/money/").content.decode()

    page = press(hers, f"/agents/{slug}/hire/", f"/agents/{slug}/hire/", **tasks_of(alice))
    milestone = Engagement.objects.get().milestones.get()
    press(hers, page, f"/milestones/{milestone.id}/funding/")
    judge()
    press(hers, page, f"/milestones/{milestone.id}/acceptance/")

    receipt = Receipt.objects.get()
    paper = hers.get(f"/receipts/{receipt.pk}/").content.decode()
    for amount in (priced, released, fee):
        assert amount in paper
    assert receipts.holds(receipt)
    sums = json.loads(receipt.body)["arithmetic"]
    assert (sums["amount"], sums["released"] + sums["fee"]) == (price, price)
    pdf = "".join(
        one.extract_text()
        for one in PdfReader(BytesIO(hers.get(f"/receipts/{receipt.pk}/pdf/").content)).pages
    )
    assert f"{released} {currency}" in pdf

    assert released in his.get("/money/").content.decode()
    assert (
        released in his.get("/money/statement/?since=2020-01-01&until=2100-01-01").content.decode()
    )
    rows = lines(his)
    assert [row[5] for row in rows if row[1] == "release"] == [released.replace(",", "")]
    assert rows[-1][6] == released.replace(",", "")
    assert ledger.balances_of(bob.party) == {currency: Escrow.objects.get().released}
    assert audit(now=clock()) == []


def press(client: Any, page: str, path: str, **fields: Any) -> str:
    answer = client.post(path, {"idempotency_key": token_in(client.get(page))} | fields)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def listed(bob: cast.Actor, alice: cast.Actor, price: int, currency: str) -> str:
    version = cast.agent_of(bob)
    type(version.agent).objects.filter(pk=version.agent_id).update(control_proved_at=clock())
    version.agent.refresh_from_db()
    hiring.open_listing(
        agent_version=version,
        pact_version=cast.pact_of(version, bob),
        price=price,
        currency=currency,
        timers=Timers(),
        by=bob.user,
        now=clock(),
    )
    return str(version.agent.slug)


def tasks_of(alice: cast.Actor) -> dict[str, str]:
    return {"task_set_version": cast.golden_set(alice, cast.doubling_tasks(3)).id}


def judge() -> None:
    evaluation = Evaluation.objects.get()
    evaluation.trials.filter(state="queued").update(state="done", finished_at=clock())
    Evaluation.objects.update(state="concluded", concluded_at=clock())
    Verdict.objects.create(
        evaluation=evaluation,
        outcome="met",
        earned_share_bps=10_000,
        method="exact",
        concluded_at=clock(),
        evidence_id="evd_0190f3c2a1b27c3d8e4f5a6b7c8d9e0f",
    )


def lines(client: Any) -> list[list[str]]:
    answer = client.get("/money/statement.csv?since=2020-01-01&until=2100-01-01")
    assert answer.status_code == 200, answer.content
    return list(csv.reader(StringIO(b"".join(answer.streaming_content).decode())))
