"""A market of any size for the bench of the pages: one agent's real past, written many times.

One agent is registered, listed, tried and hired by the product's own functions, and 500 tasks are
tried by its own engine with an agent that answers at once. Then each row is cloned: every agent has
its own version, pact, listing, claim, standing and kind of work; the trials, with their
observations, belong to as many evaluations as they need.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection

from marketplace import finding, hiring, screening
from marketplace.acting import PARTY_IN_SESSION
from marketplace.benches import evaluation_ours, pages_paths, pages_proof
from marketplace.benches.clones import clone
from marketplace.benches.crowd import Prepare
from marketplace.benches.pages_words import FIRST, PERSON, SECOND, WORKS
from marketplace.models import BenchmarkClaim, Listing
from pacts.agents import earnest_json
from pacts.feasibility import Timers
from pacts.models import Agent, AgentVersion, Party, TaskSetVersion, Trial, User
from reputation.ageing import weight
from reputation.clock import database_now
from reputation.models import Standing
from reputation.scores import refresh

CONTENDERS: dict[str, Prepare] = {}
meanwhile = evaluation_ours.meanwhile
TRIALS_OF_ONE = 500  # in one evaluation
HIRES = 200  # of the buyer who looks
KINDS = 40
PEOPLE = 1_000  # builders
BUYER = "(SELECT id FROM pacts_party WHERE name = 'Bench buyer')"


def write_market(listings: int, trials: int) -> dict[str, Any]:
    """`{"listings", "trials": rows written, "paths": page → its addresses, "cookie"}`."""
    evaluation_ours.prepare([TRIALS_OF_ONE])
    evaluation_ours.run(TRIALS_OF_ONE, 1)
    with connection.cursor() as cursor:  # the web process knows the product's protocols alone
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE pacts_agentversion SET protocol = %s", [earnest_json.PROTOCOL])
        cursor.execute("RESET session_replication_role")
    _open_and_hire()
    _clone_agents(listings - 1)
    _clone_trials(trials)
    _clone_hires()
    _score()
    finding.write_entries()
    pages_proof.write_proof(entries=max(1_000, listings // 2))
    finding.follow_scores()
    screening.count_again(now=database_now())
    pages_proof.look_away()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return {
        "listings": Listing.objects.count(),
        "trials": Trial.objects.count(),
        "paths": pages_paths.paths(),
        "cookie": _cookie(),
    }


look_at_changes = pages_proof.look_at_changes
follow_moves = pages_proof.follow_moves


def _open_and_hire() -> None:
    now = database_now()
    user, version = User.objects.get(), AgentVersion.objects.select_related("agent").get()
    Agent.objects.update(control_proved_at=now)
    version.agent.refresh_from_db()
    pact = version.agent.pacts.get().versions.get()
    listing = hiring.open_listing(
        agent_version=version,
        pact_version=pact,
        price=10_000,
        currency="EUR",
        timers=Timers(),
        by=user,
        now=now,
    )
    hiring.record_claim(
        agent_version=version,
        benchmark="Tickets: clean set",
        score_bps=9_000,
        units=400,
        method="Share of right answers.",
        not_measured="Short tickets.",
        ran_by=BenchmarkClaim.Runner.BUILDER,
        measured_on=now.date(),
        now=now,
    )
    hiring.hire(
        listing=listing,
        buyer=_buyer(user),
        task_set_version=TaskSetVersion.objects.get(),
        by=user,
        authority="owner",
        now=now,
    )
    _stand(version, now)


def _stand(version: AgentVersion, now: datetime) -> None:
    """What the log would say of a month of hires like this one."""
    Standing.objects.create(
        agent_id=version.agent_id,
        version_id=version.pk,
        dimension="accuracy",
        method="standing-2",
        verdicts=3,
        passes=450,
        failures=50,
        decayed_passes=450 * weight(now),
        decayed_failures=50 * weight(now),
        credited_passes=450_000 * weight(now),
        credited_failures=50_000 * weight(now),
        promise_bps=9_000,
        floor_bps=8_000,
        first_evidence_at=now - timedelta(days=30),
        last_evidence_at=now,
    )


def _buyer(user: User) -> Party:
    buyer = Party.objects.create(name="Bench buyer")
    buyer.members.create(user=user, role="owner")
    own = TaskSetVersion.objects.select_related("task_set").get()
    own.task_set.owner = buyer
    own.task_set.save()
    return buyer


def _word(words: list[str], place: str) -> str:
    listed = ", ".join(f"'{word}'" for word in words)
    return f"(ARRAY[{listed}])[1 + ({place}) % {len(words)}]"


def _id(prefix: str, kind: str, n: str = "n") -> str:
    return f"'{prefix}_' || md5('{kind} ' || {n})"


def _clone_agents(count: int) -> None:
    """Each of so many agents with everything that a card and its page show of it."""
    agent, version = _id("agt", "a"), _id("agv", "v")
    name = f"{_word(FIRST, 'n')} || ' ' || {_word(SECOND, 'n / 12')} || ' ' || n"
    clone(
        "pacts_party",
        times=PEOPLE,
        where="old.name = 'Bench builder'",
        rewrites={"id": _id("pty", "builder", "n - 1"), "name": "'Builder ' || n"},
    )
    clone(
        "pacts_agent",
        times=count,
        rewrites={
            "id": agent,
            "builder_id": _id("pty", "builder", f"n % {PEOPLE}"),
            "name": name,
            "slug": "'agent-' || n",
            "work": f"{_word(WORKS, 'n')} || '-' || n % {KINDS // len(WORKS)}",
            "summary": f"'Takes ' || {_word(WORKS, 'n')} || ' and labels them.'",
        },
    )
    clone(
        "pacts_agentversion",
        times=count,
        rewrites={
            "id": version,
            "agent_id": agent,
            "fingerprint": "md5('f' || n)",
            "endpoint": f"'https://builder-' || n % {PEOPLE} || '.example/run'",
        },
    )
    _clone_offers(count, agent, version)
    _clone_standings(count, agent, version)


def _clone_offers(count: int, agent: str, version: str) -> None:
    """A pact and a listing for each agent, and a claim for two of three."""
    pact, text = _id("pct", "p"), _id("pcv", "pv")
    clone("pacts_pact", times=count, rewrites={"id": pact, "agent_id": agent})
    clone("pacts_pactversion", times=count, rewrites={"id": text, "pact_id": pact})
    clone(
        "marketplace_listing",
        times=count,
        rewrites={
            "id": _id("lst", "l"),
            "agent_id": agent,
            "agent_version_id": version,
            "pact_version_id": text,
            "price": "100 * (1 + n % 400)",
        },
    )
    clone(
        "marketplace_benchmarkclaim",
        times=count,
        where="n % 3 > 0",
        rewrites={
            "id": _id("clm", "c"),
            "agent_version_id": version,
            "score_bps": "6000 + n * 37 % 4000",
        },
    )


def _clone_standings(count: int, agent: str, version: str) -> None:
    """Nine of ten were measured, over 40 to 339 units; the tenth is new."""
    passes, failures = "30 + n % 270", "n % 41"
    clone(
        "reputation_standing",
        times=count,
        where="n % 10 > 0",
        rewrites={
            "agent_id": agent,
            "version_id": version,
            "passes": passes,
            "failures": failures,
            "decayed_passes": f"({passes}) * {weight(database_now())}",
            "decayed_failures": f"({failures}) * {weight(database_now())}",
            "credited_passes": f"({passes}) * 1000 * {weight(database_now())}",
            "credited_failures": f"({failures}) * 1000 * {weight(database_now())}",
        },
    )


def _clone_trials(count: int) -> None:
    """Evaluations of the buyer's, each with the trials and observations of the one that ran."""
    times = max(1, count // TRIALS_OF_ONE)
    run, verdict = _id("evl", "e"), _id("vdt", "v")
    first = Trial.objects.order_by("-pk").values_list("pk", flat=True)[0] + 1
    trial = f"{first} + (n - 1) * {TRIALS_OF_ONE} + "
    clone("pacts_evaluation", times=times, rewrites={"id": run, "requested_by_id": BUYER})
    clone(
        "pacts_trial",
        times=times,
        rewrites={"id": f"{trial} old.position", "evaluation_id": run},
    )
    clone(
        "pacts_observation",
        times=times,
        joins="JOIN pacts_trial AS tried ON tried.id = old.trial_id",
        where=f"tried.id < {first}",
        rewrites={"trial_id": f"{trial} tried.position"},
    )
    clone("pacts_verdict", times=times, rewrites={"id": verdict, "evaluation_id": run})
    clone("pacts_clauseverdict", times=times, rewrites={"verdict_id": verdict})


def _clone_hires() -> None:
    hire, milestone = _id("eng", "h"), _id("mst", "m")
    clone("pacts_engagement", times=HIRES, rewrites={"id": hire})
    clone("pacts_milestone", times=HIRES, rewrites={"id": milestone, "engagement_id": hire})
    clone(
        "settlement_escrow",
        times=HIRES,
        rewrites={"id": _id("esc", "e"), "milestone_id": milestone},
    )


def _score() -> None:
    """Score a version of each record there is, and give the rest the score of their like."""
    like = Standing.objects.order_by("passes", "failures", "pk").distinct("passes", "failures")
    refresh(list(like.values_list("version_id", flat=True)), now=database_now())
    with connection.cursor() as cursor:
        cursor.execute(_SCORES)


_SCORES = """
INSERT INTO reputation_standingscore
SELECT (jsonb_populate_record(score, jsonb_build_object(
         'version_id', twin.version_id, 'agent_id', twin.agent_id))).*
  FROM reputation_standingscore AS score
  JOIN reputation_standing AS one USING (version_id)
  JOIN reputation_standing AS twin USING (dimension, passes, failures)
 WHERE twin.version_id <> one.version_id
ON CONFLICT DO NOTHING"""


def _cookie() -> str:
    """A session of the buyer's person, as signing in makes it."""
    user = User.objects.get(email=PERSON)
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session[PARTY_IN_SESSION] = Party.objects.get(name="Bench buyer").pk
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"
