"""Whether an agent is ready for the market, read from the rows: nothing here is ticked by hand.

`lacking` is what keeps an agent from being listed; `hiring.open_listing` asks it, and so does the
checklist, so that the two cannot disagree. The other steps are advice, each with its reason.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from allauth.account.models import EmailAddress
from django.db.models import Max
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketplace.models import BenchmarkClaim, Listing
from pacts import adversity, lint, terms
from pacts.models import (
    Agent,
    AgentVersion,
    Evaluation,
    ImportedRun,
    Member,
    PactVersion,
    Rehearsal,
    RehearsedCase,
    SigningKey,
    Trial,
)
from settlement import ledger
from settlement.models import Payout

State = Literal["done", "missing", "stale"]
Text = str | Promise
ALIVE_FOR = timedelta(days=7)
TRIED_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Lack:
    """One thing without which no agent is listed: a step's key, and a sentence that says it."""

    key: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. `said` is what the rows show, `at` when; `about` is what its link leads to."""

    key: str
    title: Text
    why: Text
    state: State
    required: bool = False
    said: Text = ""
    at: datetime | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Every step, required ones first; `listable` is what the domain will say."""

    steps: tuple[Step, ...]

    @property
    def listable(self) -> bool:
        return all(step.state != "missing" for step in self.steps if step.required)

    @property
    def done(self) -> int:
        return sum(step.state == "done" for step in self.steps)

    @property
    def next(self) -> Step | None:
        """What to do next: the first step that is not done."""
        return next((step for step in self.steps if step.state != "done"), None)


def lacking(*, agent: Agent, pact_version: PactVersion | None) -> list[Lack]:
    """What keeps the agent from being listed under this pact; nothing when it may be."""
    found = []
    if agent.control_proved_at is None:
        found.append(Lack("control", "prove control of the agent's endpoint first"))
    if (
        pact_version is None
        or pact_version.published_at is None
        or pact_version.pact.agent_id != agent.id
    ):
        found.append(Lack("pact", "publish a pact of this agent first"))
    return found


def readiness_of(agent: Agent, *, now: datetime) -> Readiness:
    """The checklist of an agent's newest version."""
    return Readiness(tuple(_Reading(agent, now).steps()))


class _Reading:
    """The rows of one agent, read once."""

    def __init__(self, agent: Agent, now: datetime) -> None:
        self.agent, self.now = agent, now
        self.version: AgentVersion = agent.versions.order_by("-number")[0]
        pacts = PactVersion.objects.filter(pact__agent=agent, pact__agreed_with=None)
        pacts = pacts.select_related("pact")
        self.text = pacts.order_by("-created_at", "-number").first()
        self.published = (
            pacts.filter(published_at__isnull=False).order_by("-published_at", "-number").first()
        )
        self.listing = (
            Listing.objects.filter(agent=agent)
            .select_related("agent_version", "pact_version__pact")
            .first()
        )
        lacks = lacking(agent=agent, pact_version=self.offered)
        self.lacks = {lack.key for lack in lacks}

    @property
    def offered(self) -> PactVersion | None:
        """The pact it is listed under, else the one it would be."""
        return self.listing.pact_version if self.listing else self.published

    def steps(self) -> list[Step]:
        return [
            self._control(),
            self._pact(),
            self._alive(),
            self._lint(),
            self._dry_run(),
            self._screening(),
            self._adversarial(),
            self._listing(),
            self._email(),
            self._signing(),
            self._payout(),
            *self._bond(),
        ]

    def _control(self) -> Step:
        return Step(
            key="control",
            title=_("The endpoint is yours"),
            why=_("Nobody is called, and nobody can be hired, under somebody else's address."),
            state="missing" if "control" in self.lacks else "done",
            required=True,
            at=self.agent.control_proved_at,
            about="agent",
        )

    def _pact(self) -> Step:
        return Step(
            key="pact",
            title=_("A pact is published and signed"),
            why=_("It is what a buyer hires under; a draft can still change."),
            state="missing" if "pact" in self.lacks else "done",
            required=True,
            at=self.offered.published_at if self.offered else None,
            about="pact" if self.text is None or self.text.published_at else "draft",
        )

    def _alive(self) -> Step:
        since = self._answered(self.version)
        earlier = since is None and any(self._answered(one) for one in self._earlier())
        state: State = "missing"
        if since is not None:
            state = "done" if self.now - since <= ALIVE_FOR else "stale"
        elif earlier:
            state = "stale"
        last = Rehearsal.objects.filter(agent_version=self.version, pasted=False).first()
        failed = last.cases.exclude(error="").first() if last and since is None else None
        return Step(
            key="alive",
            title=_("The newest version answers"),
            why=_("A hire of an agent that does not answer is a breach, from the first call on."),
            state=state,
            said=failed.error if failed else "",
            at=since,
            about="ping",
        )

    def _earlier(self) -> list[AgentVersion]:
        return list(self.agent.versions.exclude(pk=self.version.pk).order_by("-number")[:5])

    def _answered(self, version: AgentVersion) -> datetime | None:
        """When a call of this version was last answered in form."""
        runs = Rehearsal.objects.filter(
            agent_version=version,
            pasted=False,
            cases__state=RehearsedCase.State.DONE,
            cases__fault="",
        )
        trials = Trial.objects.filter(
            evaluation__agent_version=version, state=Trial.State.DONE, fault="none"
        )
        found = (
            runs.aggregate(at=Max("started_at"))["at"],
            trials.aggregate(at=Max("finished_at"))["at"],
        )
        return max((at for at in found if at), default=None)

    def _lint(self) -> Step:
        errors = []
        if self.text:
            deadline = self.version.deadline_ms
            found = lint.lint(terms.parse(self.text.terms), deadline_ms=deadline)
            errors = [one.message for one in found if one.severity == "error"]
        state: State = "done" if self.text and not errors else "missing"
        if self.text and errors and self.text.published_at:
            state = "stale"  # published under an earlier review, or for a slower version
        return Step(
            key="lint",
            title=_("The review finds no mistake in its text"),
            why=_("A clause that cannot be measured, or cannot fail, helps nobody."),
            state=state,
            said="; ".join(errors[:2]),
            about="draft" if self.text and not self.text.published_at else "pact",
        )

    def _dry_run(self) -> Step:
        runs = Rehearsal.objects.filter(
            agent_version__agent=self.agent,
            kind=Rehearsal.Kind.DRY_RUN,
            state=Rehearsal.State.DONE,
            pasted=False,
        )
        newest = runs.first()
        fits = bool(
            newest
            and self.text
            and newest.agent_version_id == self.version.pk
            and newest.digest == self.text.digest
        )
        return Step(
            key="dry_run",
            title=_("The text was tried on sample tasks"),
            why=_("What a clause really asks shows on answers, before it is signed."),
            state=_freshness(newest is not None, fits),
            said=_("It was another text or another version.") if newest and not fits else "",
            at=newest.finished_at if newest else None,
            about="dry_run" if self.text else "pact",
        )

    def _screening(self) -> Step:
        kinds = (
            ImportedRun.objects.filter(agent_version__agent=self.agent),
            BenchmarkClaim.objects.filter(agent_version__agent=self.agent),
            Evaluation.objects.filter(
                agent_version__agent=self.agent,
                purpose=Evaluation.Purpose.SCREENING,
                state=Evaluation.State.CONCLUDED,
            ),
        )
        fits = any(rows.filter(agent_version=self.version).exists() for rows in kinds)
        return Step(
            key="screening",
            title=_("A screening run or a claim stands beside it"),
            why=_("Buyers screen by benchmarks first. It is shown as that, never as standing."),
            state=_freshness(fits or any(rows.exists() for rows in kinds), fits),
            about="screening",
        )

    def _adversarial(self) -> Step:
        newest = Rehearsal.objects.filter(
            agent_version__agent=self.agent,
            kind=Rehearsal.Kind.ADVERSARIAL,
            state=Rehearsal.State.DONE,
        ).first()
        fits = bool(
            newest
            and newest.agent_version_id == self.version.pk
            and newest.digest == adversity.suite_digest()
            and self.now - newest.started_at <= TRIED_FOR
        )
        fell = newest.cases.filter(outcome=RehearsedCase.Outcome.FELL).count() if newest else 0
        return Step(
            key="adversarial",
            title=_("It was tried with hostile and broken input"),
            why=_("Buyers and strangers will send it. Better that you see it first."),
            state=_freshness(newest is not None, fits),
            said=_("%(fell)d failing cases to look at.") % {"fell": fell} if fell else "",
            at=newest.finished_at if newest else None,
            about="adversarial",
        )

    def _listing(self) -> Step:
        listed = self.listing
        fits = bool(
            listed
            and listed.agent_version_id == self.version.pk
            and (self.published is None or listed.pact_version_id == self.published.pk)
        )
        return Step(
            key="listing",
            title=_("The offer is of the newest version, under the newest pact"),
            why=_("Price and clocks are what a buyer signs; older versions keep older promises."),
            state=_freshness(listed is not None, fits),
            at=listed.opened_at if listed else None,
            about="listing",
        )

    def _email(self) -> Step:
        owners = Member.objects.filter(party=self.agent.builder, role=Member.Role.OWNER)
        verified = EmailAddress.objects.filter(
            user__in=owners.values("user"), verified=True
        ).exists()
        return Step(
            key="email",
            title=_("An owner's e-mail address is verified"),
            why=_("Deadlines, disputes and incidents are told by e-mail."),
            state="done" if verified else "missing",
            about="email",
        )

    def _signing(self) -> Step:
        key = SigningKey.objects.filter(party=self.agent.builder, retired_at=None).first()
        return Step(
            key="signing",
            title=_("Your party has a signing key"),
            why=_("It is made with your first signature, and proves what you signed."),
            state="done" if key else "missing",
            at=key.created_at if key else None,
            about="draft" if self.text and not self.text.published_at else "pact",
        )

    def _payout(self) -> Step:
        paid = Payout.objects.filter(party=self.agent.builder, refund_of=None).exclude(
            state__in=[Payout.State.FAILED, Payout.State.CANCELLED]
        )
        newest = paid.order_by("-requested_at").first()
        return Step(
            key="payout",
            title=_("A place for your earnings is known"),
            why=_("Earnings stay in your balance until you send them somewhere."),
            state="done" if newest else "missing",
            at=newest.requested_at if newest else None,
            about="money",
        )

    def _bond(self) -> list[Step]:
        if not (self.listing and self.listing.bond):
            return []
        held = ledger.balances_of(self.agent.builder).get(self.listing.currency, 0)
        return [
            Step(
                key="bond",
                title=_("Your balance covers the bond you offer"),
                why=_("Without it no milestone can be funded."),
                state="done" if held >= self.listing.bond else "missing",
                about="money",
            )
        ]


def _freshness(is_there: bool, fits: bool) -> State:
    if fits:
        return "done"
    return "stale" if is_there else "missing"
