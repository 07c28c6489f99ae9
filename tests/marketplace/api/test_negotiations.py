"""Terms talked about by programs: offers, what they change, what would happen, one signature."""

import pytest

from pacts.models import Engagement, Proposal
from reputation.canonical import digest
from settlement.ways import EXAMPLE_BPS
from tests import cast
from tests.marketplace.api.programs import Program, program_of
from tests.marketplace.market import Market, one_of_everything

pytestmark = pytest.mark.django_db


@pytest.fixture
def market() -> Market:
    return one_of_everything()


@pytest.fixture
def alice(market: Market) -> Program:
    return program_of(market.alice)


@pytest.fixture
def bob(market: Market) -> Program:
    return program_of(market.bob)


def test_a_counter_is_compared_foretold_and_signed(
    market: Market, alice: Program, bob: Program
) -> None:
    talk = alice.get(f"negotiations/{market.ids['negotiation']}").json()
    terms = talk["newest"]["terms"]
    terms["milestones"][0]["amount"] = "9000"
    terms["pact"]["clauses"][0]["promise_bps"] = 9_500
    made = bob.pay(f"negotiations/{talk['id']}/proposals", {"terms": terms, "note": "Better."})
    assert made.status_code == 201, made.content
    offer = made.json()
    assert (offer["number"], offer["state"], offer["note"]) == (2, "open", "Better.")

    changes = alice.get(f"proposals/{offer['id']}/changes").json()
    (price,) = changes["since_before"]["terms"]
    assert (price["name"], price["before"], price["after"], price["favours"]) == (
        "amount",
        "10000",
        "9000",
        "buyer",
    )
    (clause,) = changes["since_before"]["clauses"]
    assert (clause["key"], clause["direction"]) == ("accuracy", "stricter")

    (milestone,) = alice.get(f"proposals/{offer['id']}/ways").json()["milestones"]
    ways = {one["key"]: one for one in milestone["ways"]}
    assert (ways["met_silence"]["released"], ways["met_silence"]["fee"]) == ("8550", "450")
    assert ways["breached"]["refunded"] == "9000"

    text = alice.get(f"proposals/{offer['id']}/text").json()
    signed = alice.pay(f"proposals/{offer['id']}/acceptance")
    assert signed.status_code == 201, signed.content
    engagement = signed.json()
    assert (engagement["state"], engagement["amount"]) == ("active", "9000")
    agreed = bob.get(f"engagements/{engagement['id']}/text").json()
    assert agreed["agreement"] == text["agreement"]
    assert digest(agreed["agreement"]) == engagement["digest"] == offer["digest"]
    assert len(agreed["signatures"]) == 4


def test_a_program_begins_and_takes_it_back(market: Market, alice: Program) -> None:
    listing = market.ids["listing"]
    earlier = alice.get(f"negotiations/{market.ids['negotiation']}").json()
    terms = earlier["newest"]["terms"] | {"max_revisions": 3}
    body = {"listing": listing, "terms": terms, "stands_seconds": 3_600}
    made = alice.pay("negotiations", body)
    assert made.status_code == 201, made.content
    offer, hires = made.json()["newest"], Engagement.objects.count()
    ended = alice.pay(f"proposals/{offer['id']}/withdrawal")
    assert (ended.status_code, ended.json()["state"]) == (201, "withdrawn")
    again = alice.pay(f"proposals/{offer['id']}/withdrawal")
    assert (again.status_code, again.json()["type"]) == (
        409,
        "urn:earnest:problem:proposal-closed",
    )
    kept = alice.get(f"proposals/{offer['id']}").json()
    assert (kept["state"], kept["engagement"]) == ("withdrawn", None)
    assert Engagement.objects.count() == hires


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"stands_seconds": 60}, 400),
        ({"terms": {"pact": {}, "milestones": [], "timers": {}, "max_revisions": 0}}, 400),
        ({"note": "x" * 2_001}, 400),
    ],
)
def test_what_cannot_be_offered_is_said(
    market: Market, alice: Program, change: dict[str, object], status: int
) -> None:
    talk = alice.get(f"negotiations/{market.ids['negotiation']}").json()
    body = {"terms": talk["newest"]["terms"]} | change
    answer = alice.pay(f"negotiations/{talk['id']}/proposals", body)
    assert answer.status_code == status, answer.content


def test_a_task_set_of_somebody_else_is_not_there(market: Market, bob: Program) -> None:
    theirs = cast.golden_set(cast.mallory(), cast.doubling_tasks(3))
    talk = bob.get(f"negotiations/{market.ids['negotiation']}").json()
    terms = talk["newest"]["terms"]
    terms["milestones"][0]["task_set_version"] = theirs.id
    answer = bob.pay(f"negotiations/{talk['id']}/proposals", {"terms": terms})
    assert answer.status_code == 404


def test_anybody_reads_what_a_listing_leads_to(market: Market) -> None:
    answer = Program().get(f"listings/{market.ids['listing']}/ways")
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert told["dispute_track"] == "full"
    ways = {one["key"]: one for one in told["ways"]}
    assert ways["not_funded"]["released"] == "0"
    assert ways["ruled"]["is_example"]
    assert EXAMPLE_BPS not in {one["share_bps"] for one in told["ways"]}


def test_an_engagement_says_what_disputing_would_take(market: Market, alice: Program) -> None:
    told = alice.get(f"milestones/{market.ids['milestone']}/ways").json()
    assert told["filing_deposits"] == {"buyer": "0", "builder": "0"}
    assert told["currency"] == "EUR"


def test_a_counter_to_an_erased_offer_is_compared_with_the_listing(
    market: Market, alice: Program, bob: Program
) -> None:
    talk = alice.get(f"negotiations/{market.ids['negotiation']}").json()
    terms = talk["newest"]["terms"]
    terms["milestones"][0]["amount"] = "9000"
    made = bob.pay(f"negotiations/{talk['id']}/proposals", {"terms": terms}).json()
    place = f"proposals/{made['id']}/changes"
    told = alice.get(place).json()
    Proposal.objects.filter(number=1).update(terms="", note="")
    erased = alice.get(place)
    assert erased.status_code == 200, erased.content
    assert erased.json()["since_before"] == told["since_published"]
