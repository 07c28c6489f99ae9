"""The checklist reads the rows, and the required part of it is the very gate of the market."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.utils.timezone import now as clock

from marketplace import hiring, readiness
from marketplace.hiring import ListingRefused
from marketplace.models import Listing
from marketplace.readiness import Readiness
from pacts import imports, publishing, registry, rehearsals, rehearsing, runner
from pacts.engagements import Timers
from pacts.models import Agent, AgentVersion, PactVersion, Rehearsal
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.marketplace.pages.browsers import browser_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _loopback(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True


def states(agent: Agent, *, days: int = 0) -> dict[str, str]:
    found = readiness.readiness_of(agent, now=clock() + timedelta(days=days))
    return {step.key: step.state for step in found.steps}


def prove(version: AgentVersion) -> None:
    Agent.objects.filter(pk=version.agent_id).update(control_proved_at=clock())
    version.agent.refresh_from_db()


def list_it(version: AgentVersion, pact: PactVersion, bob: cast.Actor) -> Listing:
    return hiring.open_listing(
        agent_version=version,
        pact_version=pact,
        price=10_000,
        currency="EUR",
        timers=Timers(),
        by=bob.user,
        now=clock(),
    )


def work(run: Rehearsal) -> None:
    while rehearsing.rehearse(rehearsal_id=run.pk, egress=runner.egress()):
        pass


def add_version(version: AgentVersion) -> AgentVersion:
    return registry.add_version(
        agent=version.agent,
        endpoint=version.endpoint,
        protocol=version.protocol,
        declared={"note": "another prompt"},
        max_concurrency=4,
        deadline_ms=5000,
        now=clock(),
    )


def test_a_new_agent_lacks_everything_and_is_told_the_required_things_first() -> None:
    agent = cast.agent_of(cast.bob()).agent
    found = readiness.readiness_of(agent, now=clock())
    assert not found.listable
    assert [step.key for step in found.steps if step.required] == ["control", "pact"]
    assert found.next
    assert found.next.key == "control"
    assert found.done == 0


@pytest.mark.parametrize("control", [False, True])
@pytest.mark.parametrize("published", [False, True])
def test_the_market_refuses_exactly_what_the_checklist_says_is_lacking(
    control: bool, published: bool
) -> None:
    bob = cast.bob()
    version = cast.agent_of(bob)
    if control:
        prove(version)
    pact = publishing.draft_pact(agent=version.agent, data=cast.pact_terms())
    if published:
        pact = publishing.publish_pact(
            version=pact, by=bob.user, authority="member:owner", now=clock()
        )
    said: Readiness = readiness.readiness_of(version.agent, now=clock())
    assert said.listable == (control and published)
    if said.listable:
        assert list_it(version, pact, bob).state == Listing.State.OPEN
    else:
        with pytest.raises(ListingRefused):
            list_it(version, pact, bob)


def test_each_step_is_done_by_the_thing_itself_and_goes_stale_with_a_new_version() -> None:
    bob = cast.bob()
    with cast.agent_service(cast.echo) as url:
        version = cast.agent_of(bob, url)
        prove(version)
        pact = cast.pact_of(version, bob)
        samples = cast.doubling_tasks(2)
        who: dict[str, Any] = {"agent_version": version, "by": bob.user, "now": clock()}
        work(rehearsals.start_dry_run(pact_version=pact, samples=samples, **who))
        work(rehearsals.start_adversarial(samples=samples, **who))
        imports.import_run(name="sums.csv", data=b"task,passed\none,pass\n", **who)
    list_it(version, pact, bob)
    EmailAddress.objects.create(user=bob.user, email=bob.user.email, verified=True)
    done = states(version.agent)
    assert {key for key, state in done.items() if state != "done"} == {"payout"}
    assert states(version.agent, days=8)["alive"] == "stale"
    assert states(version.agent, days=91)["adversarial"] == "stale"
    add_version(version)
    later = states(version.agent)
    stale = {key for key, state in later.items() if state == "stale"}
    assert stale == {"alive", "dry_run", "screening", "adversarial", "listing"}
    assert readiness.readiness_of(version.agent, now=clock()).listable


def test_a_dry_run_of_another_text_is_stale_and_pasted_answers_do_not_count() -> None:
    bob = cast.bob()
    version = cast.agent_of(bob)
    pact = publishing.draft_pact(agent=version.agent, data=cast.pact_terms())
    run = rehearsals.start_pasted(
        agent_version=version,
        pact_version=pact,
        samples=cast.doubling_tasks(1),
        answers=['{"answer": 0}'],
        by=bob.user,
        now=clock(),
    )
    work(run)
    assert states(version.agent)["dry_run"] == "missing"
    Rehearsal.objects.update(pasted=False)
    assert states(version.agent)["dry_run"] == "done"
    publishing.change_draft(version=pact, data=cast.pact_terms(title="Another text"))
    assert states(version.agent)["dry_run"] == "stale"


def test_a_published_text_that_a_slower_version_makes_vacuous_is_stale() -> None:
    bob = cast.bob()
    version = cast.agent_of(bob)
    speed = cast.clause("speed", check="latency", params={"limit_ms": 9000})
    cast.pact_of(version, bob, cast.pact_terms(speed))
    assert states(version.agent)["lint"] == "done"
    add_version(version)  # gives every call up after five seconds
    assert states(version.agent)["lint"] == "stale"


def test_a_bond_asks_for_a_balance_that_covers_it() -> None:
    bob = cast.bob()
    version = cast.agent_of(bob)
    prove(version)
    pact = cast.pact_of(version, bob)
    assert "bond" not in states(version.agent)
    list_it(version, pact, bob)
    Listing.objects.update(bond=5_000)
    assert states(version.agent)["bond"] == "missing"


def test_page_and_program_show_the_same_states_and_nobody_else_does() -> None:
    bob, mallory = cast.bob(), cast.mallory()
    version = cast.agent_of(bob)
    page = browser_of(bob).get("/builder/agents/doubler/readiness/").content.decode()
    body = program_of(bob).ask("GET", f"/api/v1/agents/{version.agent_id}/readiness").json()
    assert body["listable"] is False
    assert body["next"] == "control"
    for step in body["steps"]:
        assert f'data-step="{step["key"]}" data-state="{step["state"]}"' in page
    foreign = program_of(mallory).ask("GET", f"/api/v1/agents/{version.agent_id}/readiness")
    assert foreign.status_code == 404
    assert browser_of(mallory).get("/builder/agents/doubler/readiness/").status_code == 404
