"""Who may set, change, override and lift controls, and what is certain about a scope.

The platform's staff may set any control. A party may set controls over agents it builds, and those
are its own. A restriction is lifted by whom the control belongs to: nobody lifts the platform's
controls on itself.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from marketplace import oversight
from marketplace.acting import Acting
from marketplace.models import Listing
from pacts import reevaluations
from pacts.evaluation import EvaluationRefused
from pacts.models import Agent, Engagement, Member, PactVersion, ReEvaluation, User
from reputation import controlling, firings
from reputation.controlling import PLATFORM, ControlUseless, Owner
from reputation.controls import Surroundings, Terms, default_recovery
from reputation.hints import hint
from reputation.models import Control, ControlReview, Firing, Override
from settlement.limits import limit_for, steps_at

OF_PARTIES = ("agent", "listing", "builder")


class ControlNotYours(PermissionError):
    """This control belongs to somebody else; the message says whom to ask."""


def terms_of(given: dict[str, Any]) -> Terms:
    """Terms from plain fields; without `recover_at` the metric's own margin is taken."""
    recover_at = given.get("recover_at")
    metric, threshold = given["metric"], given["threshold"]
    if recover_at is None:
        recover_at = default_recovery(metric, threshold)
    fields = {name: given.get(name) for name in ("limit", "hold_days")}
    return Terms(
        metric=metric,
        threshold=threshold,
        recover_at=recover_at,
        scope=given["scope"],
        scope_id=given.get("scope_id") or "",
        action=given["action"],
        cadence_days=given["cadence_days"],
        dimension=given.get("dimension") or "",
        **fields,
    )


def set_control(
    *, acting: Acting, name: str, terms: Terms, owner_user: str = "", now: datetime
) -> Control:
    """A new control; its owner is a colleague, or whoever sets it.

    Raises ControlNotYours, ControlUseless.
    """
    owner = _owner(acting, terms, owner_user)
    control = controlling.set_control(
        name=name,
        terms=terms,
        around=surroundings_of(terms, owner=owner, now=now),
        owner=owner,
        by=acting.user.id,
        now=now,
    )
    _look_soon(control)
    return control


def change_control(
    *,
    acting: Acting,
    control: Control,
    name: str,
    terms: Terms,
    owner_user: str = "",
    now: datetime,
) -> Control:
    """The next version of one's control. Raises as `set_control`, and ControlChanged."""
    _refuse_stranger(acting, control)
    owner = _owner(acting, terms, owner_user or control.owner_user)
    changed = controlling.change_control(
        control=control,
        name=name,
        terms=terms,
        around=surroundings_of(terms, owner=owner, now=now, unless=control),
        owner=owner,
        by=acting.user.id,
        now=now,
    )
    _look_soon(control)
    _look_soon(changed)
    return changed


def retire_control(*, acting: Acting, control: Control, now: datetime) -> Control:
    """End one's control. Raises ControlNotYours, ControlChanged."""
    _refuse_stranger(acting, control)
    retired = controlling.retire_control(control=control, by=acting.user.id, now=now)
    _look_soon(control)
    return retired


def review_control(*, acting: Acting, control: Control, note: str, now: datetime) -> ControlReview:
    """Say that one looked at it. Raises ControlNotYours."""
    _refuse_stranger(acting, control)
    review = controlling.review_control(control=control, by=acting.user.id, note=note, now=now)
    _look_soon(control)
    return review


def override(
    *, acting: Acting, firing: Firing, reason: str, until: datetime, now: datetime
) -> Override:
    """Suspend a restriction for a time. Raises ControlNotYours, OverrideRefused, FiringLifted."""
    _refuse_stranger(acting, firing.control)
    with transaction.atomic():
        made = firings.override(
            firing=firing, by=acting.user.id, reason=reason, until=until, now=now
        )
        oversight.project_listing(agent_id=firing.agent_id, now=now)
    _look_again(firing.agent_id)
    return made


def resolve(*, acting: Acting, firing: Firing, now: datetime) -> Firing:
    """A person looked, as an escalation asks: it is lifted until there is new evidence.

    Raises ControlNotYours, FiringLifted, ControlUseless.
    """
    _refuse_stranger(acting, firing.control)
    if firing.control.action != "escalate":
        raise ControlUseless("only what was escalated to a person is resolved; override this one")
    with transaction.atomic():
        firings.lock_agent(firing.agent_id)
        return firings.lift(
            firing=firing, release=Firing.Release.RESOLVED, basis=firing.basis, now=now
        )


def re_evaluate(*, acting: Acting, firing: Firing, now: datetime) -> ReEvaluation:
    """Start the re-evaluation a firing asks for, of the version on offer or the newest.

    Raises ControlNotYours, EvaluationRefused.
    """
    agent = Agent.objects.select_related("listing", "builder").get(pk=firing.agent_id)
    builds = acting.party is not None and acting.party.id == agent.builder_id
    if not builds and not may_steer(acting, firing.control):
        raise ControlNotYours("the agent's builder, or whom the control belongs to, starts this")
    listing: Listing | None = getattr(agent, "listing", None)
    version = agent.versions.order_by("-number").select_related("agent")[0]
    pacts = PactVersion.objects.filter(pact__agent=agent, published_at__isnull=False)
    pact = pacts.select_related("pact").order_by("-published_at").first()
    if listing:
        version, pact = listing.agent_version, listing.pact_version
    if pact is None:
        raise EvaluationRefused("publish a pact first: it is what is evaluated")
    return reevaluations.start_re_evaluation(
        firing=firing,
        agent_version=version,
        pact_version=pact,
        by=acting.party or agent.builder,
        now=now,
    )


def steered_by(acting: Acting | None) -> QuerySet[Control]:
    """The versions of controls somebody may change: staff all, a party its own."""
    if acting is None:
        return Control.objects.none()
    if acting.user.is_staff:
        return Control.objects.all()
    return Control.objects.filter(owner_party=acting.party.id if acting.party else "-")


def controls_seen_by(acting: Acting | None) -> QuerySet[Control]:
    """Controls as they stand now: one's own, and those that fired on an agent one has a part in."""
    own = steered_by(acting).values("lineage")
    fired = firings_seen_by(acting).values("lineage")
    return controlling.newest().filter(Q(lineage__in=own) | Q(lineage__in=fired))


def firings_seen_by(acting: Acting | None) -> QuerySet[Firing]:
    """Firings somebody has a part in: staff all; a party its own controls', and those on agents
    that it builds or has hired.
    """
    rows = Firing.objects.select_related("control").prefetch_related("overrides")
    if acting is None or (acting.party is None and not acting.user.is_staff):
        return rows.none()
    if acting.user.is_staff:
        return rows
    party = acting.party.id if acting.party else "-"
    built = Agent.objects.filter(builder_id=party).values("pk")
    hired = Engagement.objects.filter(buyer_id=party).values("agent_version__agent_id")
    return rows.filter(
        Q(agent_id__in=built) | Q(agent_id__in=hired) | Q(control__owner_party=party)
    )


def may_steer(acting: Acting | None, control: Control) -> bool:
    """Whether somebody may change, override or lift this control."""
    if acting is None:
        return False
    mine = bool(acting.party) and control.owner_party == (acting.party.id if acting.party else "")
    return acting.user.is_staff or (mine and acting.role in (Member.Role.OWNER, Member.Role.EDITOR))


def owners_for(acting: Acting) -> QuerySet[User]:
    """Who may own a control that somebody sets: staff, or members of the party."""
    if acting.user.is_staff:
        return User.objects.filter(is_staff=True, is_active=True)
    return User.objects.filter(memberships__party=acting.party, is_active=True)


def surroundings_of(
    terms: Terms, *, owner: Owner, now: datetime, unless: Control | None = None
) -> Surroundings:
    """What is certain about a scope. An agent that is not the owner's is no agent at all."""
    agents = oversight.agents_in(terms.scope, terms.scope_id).select_related("listing")
    if owner.party_id:
        agents = agents.filter(builder_id=owner.party_id)
    members = agents.count() if terms.scope != "platform" else None
    around = Surroundings(
        members=members,
        largest_limit=steps_at(now).largest,
        promised=_promised(agents) if terms.dimension else None,
        others=_others(terms) if members else None,
    )
    single = terms.scope in ("agent", "listing") and members == 1
    return _of_one(around, agents[0], now, unless) if single else around


def _of_one(
    around: Surroundings, agent: Agent, now: datetime, unless: Control | None
) -> Surroundings:
    listing: Listing | None = getattr(agent, "listing", None)
    own = unless is not None and unless.firings.filter(released_at=None).exists()
    limit = limit_for(
        agent_id=agent.pk,
        version_id=listing.agent_version_id if listing else "",
        currency=oversight.HUNDREDTHS_IN,
        now=now,
    ).amount
    return replace(
        around,
        is_listed=listing is not None,
        # What this control itself did is no reason against changing it.
        listing_state=listing.state if listing and not own else None,
        present_limit=None if own else limit,
        has_tasks=reevaluations.tasks_for(agent) is not None,
    )


def _promised(agents: QuerySet[Agent]) -> frozenset[str]:
    pacts = PactVersion.objects.filter(pact__agent__in=agents, published_at__isnull=False)
    return frozenset(
        clause["dimension"]
        for terms in pacts.values_list("terms", flat=True)
        for clause in terms.get("clauses", [])
    )


def _others(terms: Terms) -> int | None:
    """How many open listings a hire could be sent to; unknown where scopes mix kinds of work."""
    if terms.scope not in (*OF_PARTIES[:2], "category"):
        return None
    agents = oversight.agents_in(terms.scope, terms.scope_id)
    listed = Listing.objects.filter(agent__work__in=agents.values("work"), state=Listing.State.OPEN)
    if terms.scope == "category":
        return max(listed.count() - 1, 0)
    return listed.exclude(agent__in=agents).count()


def _owner(acting: Acting, terms: Terms, owner_user: str) -> Owner:
    staff = acting.user.is_staff
    if not staff and acting.party is None:
        raise ControlNotYours("act for a party to set a control")
    if not staff and terms.scope not in OF_PARTIES:
        raise ControlNotYours(
            f"a control over a whole {terms.scope} is the platform's staff to set; "
            f"yours may be about {', '.join(OF_PARTIES)}"
        )
    chosen = owner_user or acting.user.id
    if not owners_for(acting).filter(pk=chosen).exists():
        raise ControlUseless("its owner is a member of the party that sets it, or staff")
    return Owner(chosen, PLATFORM if staff or acting.party is None else acting.party.id)


def _refuse_stranger(acting: Acting, control: Control) -> None:
    if not may_steer(acting, control):
        whose = "its party's" if control.owner_party else "the platform's staff"
        raise ControlNotYours(f"this control is {whose} to change, override or lift")


def _look_soon(control: Control) -> None:
    oversight.ask_for_a_look(scope=control.scope, scope_id=control.scope_id)
    transaction.on_commit(lambda: hint("marketplace.tasks.oversee_agents"))


def _look_again(agent_id: str) -> None:
    oversight.ask_for_a_look(scope="agent", scope_id=agent_id)
