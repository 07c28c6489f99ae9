"""Terms are talked about on pages: offered, answered, told, agreed; and work is judged by them."""

import base64
import json
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.test import Client
from django.utils.timezone import now as clock

from marketplace import hiring
from marketplace.models import Listing, Notice
from marketplace.notices import saying
from pacts import runner, verdicts
from pacts.engagements import Timers
from pacts.models import Agent, Engagement, Evaluation, Negotiation, Proposal, TaskSetVersion
from reputation.canonical import digest
from settlement import settlements
from settlement.models import Escrow
from tests import cast
from tests.marketplace.pages.browsers import TOKEN, browser, browser_of, member_of

pytestmark = pytest.mark.django_db


def forms(page: str) -> dict[str, str]:
    """What a browser would send of the form that offers terms."""
    form = page[page.index('data-test="terms-form"') :]
    form = form[: form.index("</form>")]
    sent = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name = re.search(r'name="([^"]+)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name:
            sent[name[1]] = value[1] if value else ""
    for name, inner in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', inner)
        sent[name] = chosen[1] if chosen else ""
    for name in re.findall(r'<textarea name="([^"]+)"', form):
        sent[name] = ""
    return sent


def offered(client: Client, path: str, **changes: Any) -> str:
    """Draw the form, change some of it, send it; where it went."""
    page = client.get(path)
    assert page.status_code == 200, page.content.decode()[:2000]
    answer = client.post(path, forms(page.content.decode()) | changes)
    assert answer.status_code == 302, re.findall(
        r'class="errors".*?</div>|flash-error.*?</div>', answer.content.decode(), re.DOTALL
    )
    return str(answer["Location"])


def pressed(client: Client, page: str, path: str) -> Any:
    token = TOKEN.search(client.get(page).content.decode())
    assert token is not None
    return client.post(path, {"idempotency_key": token[1]})


class Market:
    """bob lists an agent that is right four times of five; alice brings thirty tasks."""

    def __init__(self, url: str) -> None:
        self.alice, self.bob = cast.alice(), cast.bob()
        version = cast.agent_of(self.bob, url)
        Agent.objects.update(control_proved_at=clock())
        version.agent.refresh_from_db()
        self.pact = cast.pact_of(version, self.bob)
        self.listing: Listing = hiring.open_listing(
            agent_version=version,
            pact_version=self.pact,
            price=1_250,
            currency="EUR",
            timers=Timers(work_seconds=3600, evaluation_seconds=3600),
            by=self.bob.user,
            now=clock(),
        )
        self.tasks: TaskSetVersion = cast.golden_set(self.alice, cast.doubling_tasks(30))
        self.hers, self.his = browser_of(self.alice), browser_of(self.bob)
        self.new = f"/agents/{version.agent.slug}/offer/"

    def begin(self, **changes: Any) -> str:
        given = {"price_0": "10.00", "promise_accuracy": "60", "floor_accuracy": "40"} | changes
        return offered(self.hers, self.new, **given)


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True


@pytest.fixture
def market() -> Market:
    return Market(cast.DEAD_END)


def test_two_rounds_and_a_signature(market: Market) -> None:
    page = market.begin(note="Too dear for us.")
    hers = market.hers.get(page).content.decode()
    assert "The other side answers." in hers
    his = market.his.get(page).content.decode()
    assert "It is your turn." in his
    assert "Too dear for us." in his
    assert "2 changes of what everybody gets" in his
    assert "of the offer before" not in his
    assert his.count('data-test="difference"') >= 2
    assert "better for the buyer" in his
    assert "<del>" in his
    assert "<ins>" in his
    assert offered(market.his, f"{page}counter/", price_0="11.00") == page
    back = market.hers.get(page).content.decode()
    assert "It is your turn." in back
    assert "1 change of the offer before" in back
    assert "2 changes of what everybody gets" in back
    newest = Proposal.objects.get(state="open")
    answer = pressed(market.hers, page, f"/proposals/{newest.id}/acceptance/")
    engagement = Engagement.objects.get()
    assert answer.url == f"/engagements/{engagement.id}/"
    assert engagement.state == "active"
    assert engagement.milestones.get().amount == 1_100
    assert "Both sides agreed." in market.his.get(page).content.decode()


def test_what_is_signed_is_a_file_whose_signatures_verify_without_us(market: Market) -> None:
    page = market.begin()
    offer = Proposal.objects.get()
    unsigned = json.loads(market.his.get(f"/proposals/{offer.id}/text/").content)
    assert unsigned["signatures"] == []
    pressed(market.his, page, f"/proposals/{offer.id}/acceptance/")
    engagement = Engagement.objects.get()
    body = json.loads(market.hers.get(f"/engagements/{engagement.id}/text/").content)
    assert body["agreement"] == unsigned["agreement"]
    assert digest(body["agreement"]) == body["agreement_digest"] == offer.digest
    assert digest(body["pact"]) == body["pact_digest"] == body["agreement"]["pact"]
    assert {one["party"] for one in body["signatures"]} == {
        market.alice.party.id,
        market.bob.party.id,
    }
    for one in body["signatures"]:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(one["public_key"]))
        key.verify(base64.b64decode(one["signature"]), one["message"].encode())
        assert one["digest"] in one["message"]


@pytest.mark.django_db(transaction=True)
def test_an_agreed_threshold_decides_the_verdict_and_the_money() -> None:
    def answer(given: dict[str, Any]) -> dict[str, Any]:
        return {"answer": given["number"] * 2 if given["number"] % 5 else -1}

    with cast.agent_service(answer) as url:
        market = Market(url)
        page = market.begin()
        pressed(market.his, page, f"/proposals/{Proposal.objects.get().id}/acceptance/")
        agreed = Engagement.objects.get()
        hiring.hire(
            listing=market.listing,
            buyer=market.alice.party,
            task_set_version=market.tasks,
            by=market.alice.user,
            authority="member:owner",
            now=clock(),
        )
        listed = Engagement.objects.exclude(pk=agreed.pk).get()
        for one in (agreed, listed):
            milestone = one.milestones.get()
            token = TOKEN.search(market.hers.get(f"/engagements/{one.id}/").content.decode())
            assert token is not None
            market.hers.post(
                f"/milestones/{milestone.id}/funding/",
                {"idempotency_key": token[1], "deposit": str(milestone.amount)},
            )
            evaluation = Evaluation.objects.get(state="running")
            runner.Runner(evaluation, runner.egress()).run()
            verdicts.conclude(evaluation_id=evaluation.id, now=clock())
        settlements.settle_due(now=clock())
    outcomes = {
        escrow.milestone.engagement_id: escrow.verdict.outcome
        for escrow in Escrow.objects.select_related("verdict", "milestone")
        if escrow.verdict
    }
    assert outcomes[agreed.id] == "met"
    assert outcomes[listed.id] != "met"
    assert agreed.pact_version_id != listed.pact_version_id


def test_a_stranger_finds_nothing(market: Market) -> None:
    page = market.begin()
    offer, hers = Proposal.objects.get(), browser_of(cast.mallory())
    absent = page.replace(Negotiation.objects.get().id, "ngt_0190f3c2a1b27c3d8e4f5a6b7c8d9e0f")
    assert hers.get(page).status_code == hers.get(absent).status_code == 404
    assert hers.get(f"/proposals/{offer.id}/text/").status_code == 404
    for verb in ("acceptance", "decline", "withdrawal"):
        assert hers.post(f"/proposals/{offer.id}/{verb}/").status_code == 404
    assert browser().get(page).status_code in (302, 401, 403)


def test_a_viewer_reads_and_signs_nothing(market: Market) -> None:
    page = market.begin()
    viewer = member_of(market.bob, "viewer")
    shown = viewer.get(page).content.decode()
    assert "Signing is for a member in the role" in shown
    offer = Proposal.objects.get()
    assert viewer.post(f"/proposals/{offer.id}/acceptance/").status_code == 403


def test_the_other_side_is_told_and_nobody_else(market: Market) -> None:
    market.begin()
    told = Notice.objects.select_related("news", "user")
    assert [(one.user_id, saying.title(one.news)) for one in told] == [
        (market.bob.user.id, "Alice & Co offers other terms for Doubler")
    ]
    assert market.his.get("/notices/").status_code == 200


def test_changing_text_and_fields_at_once_is_asked_back_and_nothing_is_lost(
    market: Market,
) -> None:
    page = market.hers.get(market.new).content.decode()
    sent = forms(page) | {"promise_accuracy": "70", "text": "version: earnest-pact/1", "note": "Hm"}
    answer = market.hers.post(market.new, sent).content.decode()
    assert "say it in one of the two" in answer
    assert 'value="70"' in answer
    assert "Hm" in answer
    assert not Negotiation.objects.exists()


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("work_seconds", "soon", "Write a number and a unit"),
        ("promise_accuracy", "120", "percentage from 0 to 100"),
        ("price_0", "0", "above zero"),
        ("price_0", "1e9", "amount"),
        ("text", "a: b: c", "line"),
    ],
)
def test_what_cannot_be_read_is_said_beside_its_field(
    market: Market, field: str, typed: str, said: str
) -> None:
    page = market.hers.get(market.new).content.decode()
    answer = market.hers.post(market.new, forms(page) | {field: typed})
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not Negotiation.objects.exists()


def test_without_tasks_the_page_says_what_to_bring(market: Market) -> None:
    hers = browser_of(cast.mallory())
    assert "First bring the tasks that decide" in hers.get(market.new).content.decode()


def test_a_suspended_agent_is_agreed_on_by_nobody(market: Market) -> None:
    page = market.begin()
    Listing.objects.update(state=Listing.State.SUSPENDED)
    pressed(market.his, page, f"/proposals/{Proposal.objects.get().id}/acceptance/")
    assert "suspended this agent" in market.his.get(page).content.decode()
    assert not Engagement.objects.exists()


def test_the_hire_page_says_every_way_it_can_go(market: Market) -> None:
    page = market.hers.get(market.new.replace("offer", "hire")).content.decode()
    keys = set(re.findall(r'data-way="(\w+)"', page))
    assert keys >= {"met_accepted", "met_silence", "breached", "unruled", "not_funded", "agreed"}
    assert "Filing costs nothing" in page
    assert "small claim" in page
