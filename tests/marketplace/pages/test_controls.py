"""Controls in a browser and by a program: set, fired, seen, overridden, looked at."""

import pytest
from django.utils.timezone import now as clock

from marketplace.pages import control_view
from reputation.models import Control, Firing
from tests.marketplace.api.programs import program_of
from tests.marketplace.pages.browsers import browser, browser_of, token_in
from tests.marketplace.test_oversight import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> World:
    return World()


def test_a_builder_sets_a_control_on_a_page_in_per_cent_and_is_told_what_would_do_nothing(
    world: World,
) -> None:
    bob = browser_of(world.bob)
    page = bob.get("/controls/new/")
    given = {
        "idempotency_key": token_in(page),
        "name": "Careful",
        "metric": "lower_bound",
        "threshold": "80",
        "scope": "agent",
        "scope_id": world.agent_id,
        "action": "narrow",
        "limit": "100.50",
        "cadence_days": "30",
        "owner_user": world.bob.user.id,
    }
    refused = bob.post("/controls/new/", given | {"threshold": "0"})
    assert "can never fire" in refused.content.decode()
    answer = bob.post("/controls/new/", given)
    control = Control.objects.get()
    assert answer["Location"] == f"/controls/{control.lineage}/"
    assert (control.threshold, control.recover_at, control.limit) == (8_000, 8_200, 10_050)
    assert "under 80.00" in bob.get(answer["Location"]).content.decode()


def test_what_fired_is_seen_by_everybody_it_concerns(world: World) -> None:
    world.hire()
    world.control(action="escalate")
    world.score(20, 30)
    (firing,) = world.look()
    agent = f"/agents/{world.version.agent.slug}/"
    shown = browser().get(agent).content.decode()
    assert 'data-test="restrictions"' in shown
    assert "A person is asked to look." in shown
    for actor in (world.alice, world.bob):
        assert browser_of(actor).get(f"/firings/{firing.pk}/").status_code == 200
    engagement = browser_of(world.alice).get("/engagements/").content.decode()
    assert engagement
    staff = browser(world.staff.user)
    assert 'data-test="waiting"' in staff.get("/controls/").content.decode()
    page = staff.get(f"/firings/{firing.pk}/")
    staff.post(f"/firings/{firing.pk}/resolution/", {"idempotency_key": token_in(page)})
    assert Firing.objects.get().release == "resolved"


def test_only_whom_a_control_belongs_to_overrides_it_on_its_page(world: World) -> None:
    world.control(action="suspend")
    world.score(20, 30)
    (firing,) = world.look()
    path = f"/firings/{firing.pk}/"
    builder, staff = browser_of(world.bob), browser(world.staff.user)
    assert 'data-test="override-form"' not in builder.get(path).content.decode()
    page = staff.get(path)
    given = {"idempotency_key": token_in(page), "reason": "It was our outage.", "days": "3"}
    refused = builder.post(f"{path}override/", given)
    assert firing.overrides.count() == 0
    assert refused.status_code == 200
    staff.post(f"{path}override/", given)
    assert firing.overrides.count() == 1
    assert "It was our outage." in builder.get(path).content.decode()
    world.listing.refresh_from_db()
    assert world.listing.state == "open"


def test_a_program_does_the_same(world: World) -> None:
    bob = program_of(world.bob)
    body = {
        "name": "Careful",
        "metric": "lower_bound",
        "threshold": 8_000,
        "scope": "agent",
        "scope_id": world.agent_id,
        "action": "escalate",
        "cadence_days": 30,
    }
    made = bob.post("controls", body)
    assert made.status_code == 201, made.content
    control = made.json()["id"]
    world.score(20, 30)
    world.look()
    (firing,) = bob.get("firings").json()["results"]
    until = clock().replace(year=clock().year + 1).isoformat()
    path = f"firings/{firing['id']}"
    assert (
        bob.post(f"{path}/override", {"reason": "good reason", "until": until}).status_code == 422
    )
    assert bob.post(f"{path}/resolution").json()["release"] == "resolved"
    assert bob.post(f"{path}/resolution").status_code == 409
    assert bob.post(f"controls/{control}/reviews", {"note": "still right"}).status_code == 201
    assert bob.post(f"controls/{control}/retirement").json()["retired"] is True
    useless = bob.post("controls", body | {"threshold": 0})
    assert useless.status_code == 422
    assert "can never fire" in useless.json()["detail"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ((250_000, 100_000), "from 2,500.00 to 1,000.00 of each currency"),
        ((100_000, 100_000), "stays at 1,000.00 of each currency"),
    ],
)
def test_a_limit_that_was_there_already_is_not_told_as_a_change(
    change: tuple[int, int], said: str
) -> None:
    assert control_view._change("limit", change).endswith(said)


def test_a_limit_by_a_control_is_said_as_one_beside_the_standing(world: World) -> None:
    world.control()
    world.score(20, 30)
    world.look()
    slug = world.version.agent.slug
    assert (
        "of each currency may be held on it." in browser().get(f"/agents/{slug}/").content.decode()
    )
    beside = browser().get(f"/agents/{slug}/standing/").content.decode()
    assert "as a control in force on it says" in beside
