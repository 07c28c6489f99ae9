"""The sample marketplace, played through the real path: every step is one a person could take.

Each step looks whether it was taken before, so a run that was cut short goes on where it stopped.
Nothing is computed here: scores, verdicts and payments are whatever the workers find.
"""

import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from django.conf import settings

from marketplace import hiring
from marketplace.models import BenchmarkClaim, Listing
from marketplace.sample import cast
from marketplace.sample.agents import AGENTS, SampleAgent, get_agent
from marketplace.sample.controls import set_controls
from marketplace.sample.kinds import KINDS, SampleKind, get_kind
from marketplace.sample.tasks import benchmark_tasks, buyer_tasks
from pacts import evaluation, publishing, registry, tasksets
from pacts.evaluation import default_deadline
from pacts.models import (
    Agent,
    AgentVersion,
    Engagement,
    Evaluation,
    PactVersion,
    TaskSet,
    TaskSetVersion,
)
from pacts.runner import egress
from pacts.tasksets import TaskDraft
from reputation.clock import database_now
from settlement import deposits, escrow
from settlement.models import Escrow
from settlement.money import Money

Say = Callable[[str], None]

PATIENCE_SECONDS = 600
BENCHMARK = "{title}: clean set"
MADE = "sample-1"
FIRST_LOOK_AT = "plain-words"
FIRST_LOOK_TASKS = 12


class SampleStuck(RuntimeError):
    """The workers did not get on; the message says with what."""


def run(*, say: Say) -> None:
    """Play the whole sample, saying what happens. Raises `SampleStuck`."""
    people = cast.ensure()
    versions = {agent.slug: _register(agent, people) for agent in AGENTS}
    say(f"{len(versions)} agents registered; each proved control of its endpoint")
    pacts = {agent.slug: _publish(agent, versions[agent.slug], people) for agent in AGENTS}
    say(f"{len(pacts)} pacts linted, signed and published")
    _screen(versions, pacts, people, say)
    for agent in AGENTS:
        _list(agent, versions[agent.slug], pacts[agent.slug], people)
    say(f"{set_controls(people)} controls of the platform watch every agent")
    hires = [_hire(agent, golden_set(get_kind(agent.kind), people), people) for agent in AGENTS]
    say(f"{len(hires)} agents hired; every price is in escrow")
    hires.append(_hire(get_agent(FIRST_LOOK_AT), first_look(people), people))
    _await_verdicts(hires, say)
    for hired in hires:
        _accept_if_met(hired, people)
    _await_settlement(hires, say)


def logins() -> Iterable[str]:
    """Who can log in to look around, a line each."""
    return cast.logins()


def _register(agent: SampleAgent, people: cast.People) -> AgentVersion:
    found = Agent.objects.filter(slug=agent.slug).first()
    if found is None:
        version = registry.register_agent(
            builder=people.builders[agent.builder],
            name=agent.name,
            work=agent.kind,
            summary=agent.summary,
            endpoint=f"http://127.0.0.1:{_ports()[agent.slug]}/",
            declared={"library": agent.library},
            max_concurrency=8,
            now=database_now(),
        )
    else:
        version = found.versions.order_by("number").first() or _missing(agent.slug)
    if version.agent.control_proved_at is None:
        _serve_token(agent.slug, version.agent.control_token)
        _prove(version)
    return version


def _missing(slug: str) -> AgentVersion:
    raise SampleStuck(f"the agent {slug} has no version")


def _ports() -> dict[str, int]:
    ports: dict[str, int] = json.loads((settings.DATA / "sample-agents.json").read_text())
    return ports


def _serve_token(slug: str, token: str) -> None:
    """Put the token where the agent's own service answers it from."""
    folder = Path(os.environ.get("EARNEST_SAMPLE_CONTROL", settings.DATA / "sample-control"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / slug).write_text(token)


def _prove(version: AgentVersion) -> None:
    """The service may still be starting: try for a while."""
    for attempt in range(120):
        try:
            registry.prove_control(version=version, egress=egress(), now=database_now())
        except registry.ControlNotProved:
            if attempt == 119:
                raise
            time.sleep(0.25)
        else:
            return


def _publish(agent: SampleAgent, version: AgentVersion, people: cast.People) -> PactVersion:
    kind = get_kind(agent.kind)
    found = PactVersion.objects.filter(pact__agent=version.agent).order_by("number").first()
    draft = found or publishing.draft_pact(agent=version.agent, data=terms_of(kind))
    if draft.published_at:
        return draft
    return publishing.publish_pact(
        version=draft, by=people.bob, authority="owner", now=database_now()
    )


def terms_of(kind: SampleKind) -> dict[str, object]:
    """The pact every builder of this kind of work offers: the same promise, so they compare."""
    tasks = len(buyer_tasks(kind.slug))
    return {
        "version": "earnest-pact/1",
        "title": kind.text.title,
        "summary": kind.text.description,
        "scope": {"in": list(kind.text.takes), "out": list(kind.text.declines)},
        "clauses": [dict(clause) for clause in kind.clauses],
        "on_breach": "prorate",
        "output_schema": kind.output_schema,
        "volume": {"calls_per_milestone": tasks},
    }


def _task_set(name: str, kind: SampleKind, owner_party: cast.Owner, note: str) -> TaskSetVersion:
    owner, tasks = owner_party
    found = TaskSet.objects.filter(name=name, owner=owner).first()
    if found:
        return found.versions.order_by("-number")[0]
    return tasksets.create_task_set(
        owner=owner,
        name=name,
        work=kind.slug,
        note=note,
        tasks=[TaskDraft(task.input, task.expected, task.in_scope, task.stratum) for task in tasks],
        now=database_now(),
    )


def benchmark_set(kind: SampleKind) -> TaskSetVersion:
    """The clean set a leaderboard would test; it belongs to nobody."""
    name = BENCHMARK.format(title=kind.text.title)
    return _task_set(name, kind, (None, benchmark_tasks(kind.slug)), kind.text.benchmark_rule)


def golden_set(kind: SampleKind, people: cast.People) -> TaskSetVersion:
    """The buyer's own tasks."""
    name = f"{kind.text.title}: our own tasks"
    return _task_set(name, kind, (people.buyer, buyer_tasks(kind.slug)), kind.text.buyer_rule)


def first_look(people: cast.People) -> TaskSetVersion:
    """A set too small to decide anything: its verdict is undetermined, and a person is asked."""
    kind = get_kind(get_agent(FIRST_LOOK_AT).kind)
    tasks = buyer_tasks(kind.slug)[:FIRST_LOOK_TASKS]
    note = f"The first {FIRST_LOOK_TASKS} of our own tasks, to see how a hire goes."
    return _task_set(f"{kind.text.title}: a first look", kind, (people.buyer, tasks), note)


def _screen(
    versions: dict[str, AgentVersion],
    pacts: dict[str, PactVersion],
    people: cast.People,
    say: Say,
) -> None:
    """Each builder runs the benchmark set itself and claims the score it got."""
    runs = {agent.slug: _screening(agent, versions, pacts) for agent in AGENTS}
    _watch("benchmark runs", list(runs.values()), say)
    for agent in AGENTS:
        run, kind = runs[agent.slug], get_kind(agent.kind)
        if BenchmarkClaim.objects.filter(evaluation=run).exists():
            continue
        clause = run.verdict.clauses.get(dimension="accuracy")
        units = round(clause.passes + clause.failures)
        now = database_now()
        hiring.record_claim(
            agent_version=versions[agent.slug],
            benchmark=BENCHMARK.format(title=kind.text.title),
            score_bps=int(10_000 * clause.passes / units),
            units=units,
            method="Share of right answers on the clean set, run once by the builder.",
            not_measured="Short, noisy or mixed input, declining what is out of scope, repetition.",
            ran_by=BenchmarkClaim.Runner.BUILDER,
            evaluation=run,
            measured_on=now.date(),
            now=now,
        )
    say("benchmark claims recorded, each with the run behind it")


def _screening(
    agent: SampleAgent, versions: dict[str, AgentVersion], pacts: dict[str, PactVersion]
) -> Evaluation:
    version = versions[agent.slug]
    found = Evaluation.objects.filter(
        agent_version=version, purpose=Evaluation.Purpose.SCREENING
    ).first()
    now = database_now()
    return found or evaluation.start_evaluation(
        purpose=Evaluation.Purpose.SCREENING,
        independence=Evaluation.Independence.SELF,
        requested_by=version.agent.builder,
        agent_version=version,
        pact_version=pacts[agent.slug],
        task_set_version=benchmark_set(get_kind(agent.kind)),
        repeats=1,
        deadline_at=default_deadline(now),
        now=now,
    )


def _list(
    agent: SampleAgent, version: AgentVersion, pact: PactVersion, people: cast.People
) -> None:
    if not Listing.objects.filter(agent=version.agent).exists():
        hiring.open_listing(
            agent_version=version,
            pact_version=pact,
            price=agent.price,
            currency=agent.currency,
            timers=cast.TIMERS,
            max_revisions=1,
            by=people.bob,
            now=database_now(),
        )


def _hire(agent: SampleAgent, tasks: TaskSetVersion, people: cast.People) -> Engagement:
    """Find, agree, deposit, fund: what a buyer does on four pages."""
    listing = Listing.objects.select_related("agent").get(agent__slug=agent.slug)
    engagement = Engagement.objects.filter(
        buyer=people.buyer,
        agent_version=listing.agent_version,
        milestones__task_set_version=tasks,
    ).first() or hiring.hire(
        listing=listing,
        buyer=people.buyer,
        task_set_version=tasks,
        by=people.alice,
        authority="owner",
        now=database_now(),
    )
    milestone = engagement.milestones.get()
    if not Escrow.objects.filter(milestone=milestone).exclude(state="unfunded").exists():
        deposits.request_deposit(
            party=people.buyer,
            money=Money(milestone.amount, engagement.currency),
            idempotency_key=f"{MADE}:{engagement.id}",
            now=database_now(),
        )
        escrow.fund(
            milestone=milestone,
            by=people.buyer,
            idempotency_key=f"{MADE}:{milestone.id}",
            now=database_now(),
        )
    return engagement


def _await_verdicts(hires: list[Engagement], say: Say) -> None:
    runs = [
        Evaluation.objects.get(deliverable__milestone__engagement=hired, deliverable__number=0)
        for hired in hires
    ]
    _watch("hired work", runs, say)


def _watch(what: str, runs: list[Evaluation], say: Say) -> None:
    """Wait until every evaluation is concluded, saying how far it is."""
    started, told = time.monotonic(), -1
    total = sum(run.trials_total for run in runs)
    while True:
        for run in runs:
            run.refresh_from_db()
        done = sum(run.trials.filter(state__in=["done", "null"]).count() for run in runs)
        if done * 10 // max(total, 1) != told:
            told = done * 10 // max(total, 1)
            say(f"{what}: {done} of {total} calls answered and checked")
        if all(run.state == Evaluation.State.CONCLUDED for run in runs):
            return
        if time.monotonic() - started > PATIENCE_SECONDS:
            raise SampleStuck(
                f"{what} did not finish in {PATIENCE_SECONDS} s; see the worker's log"
            )
        time.sleep(0.5)


def _accept_if_met(engagement: Engagement, people: cast.People) -> None:
    held = Escrow.objects.get(milestone__engagement=engagement)
    verdict = Evaluation.objects.get(
        deliverable__milestone__engagement=engagement, deliverable__number=0
    ).verdict
    if verdict.outcome == "met" and held.state == "held":
        escrow.accept(escrow=held, by=people.buyer, now=database_now())


def _await_settlement(hires: list[Engagement], say: Say) -> None:
    """Until every escrow is settled or waits for a person."""
    started = time.monotonic()
    while True:
        waiting = Escrow.objects.filter(
            milestone__engagement__in=hires, state__in=["held", "withheld"]
        ).count()
        if not waiting:
            break
        if time.monotonic() - started > PATIENCE_SECONDS:
            raise SampleStuck(f"{waiting} escrows did not settle; see the worker's log")
        time.sleep(0.5)
    for kind in KINDS:
        for held in Escrow.objects.filter(
            milestone__engagement__in=hires,
            milestone__engagement__agent_version__agent__work=kind.slug,
        ).select_related("milestone__engagement__agent_version__agent"):
            agent = held.milestone.engagement.agent_version.agent
            waits = ", too few tasks to tell: a person is asked" if held.state == "frozen" else ""
            say(f"{kind.text.title}: {agent.name} → {held.state}{waits}")
