"""Listing agents and hiring them at their listed terms: what pages and API both call."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from django.db import transaction
from django.db.models import QuerySet

from marketplace import policy, readiness, screening
from marketplace.models import BenchmarkClaim, Listing
from pacts import engagements
from pacts.currencies import LARGEST
from pacts.engagements import EngagementRefused, MilestoneDraft, Timers
from pacts.models import (
    Agent,
    AgentVersion,
    Engagement,
    Evaluation,
    EvaluatorOffer,
    ImportedRun,
    PactVersion,
    Party,
    TaskSetVersion,
    User,
)
from reputation import evidence, restrictions
from reputation.restrictions import Restriction
from settlement import engagements as signing
from settlement.rails import RAILS

CARD_RAILS = ("stripe",)
CARD_HOLD_SECONDS = 90 * 24 * 3600
CLAIM_SLACK_BPS = 5  # claims are published to one decimal of a percent
MOST_FURTHER = engagements.MOST_MILESTONES - 1


class ListingRefused(ValueError):
    """The agent cannot be listed yet; the message says what is missing."""


class ClaimRefused(ValueError):
    """The claim contradicts what stands behind it; the message says how."""


class ListingClosed(ValueError):
    """This listing takes no new hires."""


def open_listing(
    *,
    agent_version: AgentVersion,
    pact_version: PactVersion,
    price: int,
    currency: str,
    timers: Timers,
    by: User,
    now: datetime,
    max_revisions: int = 1,
    signs_at_once: bool = True,
    bond: int = 0,
    languages: Sequence[str] = (),
) -> Listing:
    """Offer an agent, or change its offer; running engagements keep what they signed.

    `price` and `bond`, which the builder stakes on each milestone, in minor units; `languages`, of
    the agent's work, as in ISO 639-1: none is any. Raises `ListingRefused`.
    """
    _refuse_unlistable(agent_version.agent, pact_version, price, bond)
    with transaction.atomic():
        listing, _ = Listing.objects.update_or_create(
            agent=agent_version.agent,
            defaults={
                "agent_version": agent_version,
                "pact_version": pact_version,
                "price": price,
                "currency": currency,
                "bond": bond,
                "work_seconds": timers.work_seconds,
                "evaluation_seconds": timers.evaluation_seconds,
                "acceptance_seconds": timers.acceptance_seconds,
                "cure_seconds": timers.cure_seconds,
                "max_revisions": max_revisions,
                "signs_at_once": signs_at_once,
                "languages": sorted(set(languages)),
                "opened_at": now,
                "opened_by": by,
            },
        )
        _log_opening(listing, now)
    return listing


def _refuse_unlistable(agent: Agent, pact_version: PactVersion, price: int, bond: int) -> None:
    if lacks := readiness.lacking(agent=agent, pact_version=pact_version):
        raise ListingRefused(lacks[0].says)
    if price <= 0:
        raise ListingRefused("a listing needs a price above zero")
    if not 0 <= bond <= LARGEST:
        raise ListingRefused(f"a bond is between 0 and {LARGEST} minor units")


def _log_opening(listing: Listing, now: datetime) -> None:
    facts: dict[str, object] = {"price": listing.price, "currency": listing.currency}
    evidence.append(
        kind="listing.opened",
        subjects={
            "listing": listing.id,
            "agent": listing.agent_id,
            "agent_version": listing.agent_version_id,
            "pact_version": listing.pact_version_id,
            "builder": listing.agent.builder_id,
        },
        facts=facts | ({"bond": listing.bond} if listing.bond else {}),
        digests={"terms": listing.pact_version.digest},
        at=now,
    )


def pause_listing(*, listing: Listing) -> Listing:
    """The builder takes no new hires for now. Raises `ListingClosed` when it was suspended."""
    return _switch(listing, {Listing.State.OPEN, Listing.State.PAUSED}, Listing.State.PAUSED)


def resume_listing(*, listing: Listing) -> Listing:
    """The builder takes hires again. Raises `ListingClosed` when the platform suspended it."""
    return _switch(listing, {Listing.State.OPEN, Listing.State.PAUSED}, Listing.State.OPEN)


def _switch(listing: Listing, before: set[Listing.State], after: Listing.State) -> Listing:
    if not Listing.objects.filter(pk=listing.pk, state__in=before).update(state=after):
        raise ListingClosed("the platform suspended this listing; ask its staff what to do")
    listing.refresh_from_db()
    return listing


def hire(
    *,
    listing: Listing,
    buyer: Party,
    task_set_version: TaskSetVersion | None = None,
    by: User,
    authority: str,
    now: datetime,
    further: Sequence[TaskSetVersion] = (),
    bond: int = 0,
    offer: EvaluatorOffer | None = None,
) -> Engagement:
    """Propose the listing's own terms and sign for the buyer; the listing signs for the builder.

    Each of `further` is one more milestone, in order, at the listing's price; `offer` is the third
    party's, whose tasks take the buyer's place. A `bond` (minor units for each milestone) above the
    listing's own is more than it offers: then the builder signs for itself. Raises `ListingClosed`,
    `EngagementRefused`, `pacts.evaluators.EvaluatorRefused`, `pacts.currencies.CurrencyUnknown`,
    `settlement.escrow.ExposureExceeded`.
    """
    refuse_closed(listing, now)
    chosen, held = _chosen(task_set_version, further, offer), policy.at(now)
    with transaction.atomic():
        engagement = engagements.propose(
            buyer=buyer,
            agent_version=listing.agent_version,
            pact_version=listing.pact_version,
            currency=listing.currency,
            fee_bps=held.fee_bps,
            fee_bands=held.fee_bands_in(listing.currency),
            milestones=[
                _milestone(version, listing.price, max(bond, listing.bond)) for version in chosen
            ],
            timers=replace(timers_of(listing), funding_seconds=held.funding_seconds),
            max_revisions=listing.max_revisions,
            longest_hold_seconds=longest_hold_seconds(),
            evaluator=offer.evaluator if offer else None,
            by=by,
            now=now,
        )
        engagement = signing.sign(
            engagement=engagement, party=buyer, by=by, authority=authority, now=now
        )
        if listing.signs_at_once and bond <= listing.bond:
            engagement = _signed_by_listing(engagement, listing, now)
        screening.note_choice(engagement=engagement, listing=listing, now=now)
    return engagement


def _signed_by_listing(engagement: Engagement, listing: Listing, now: datetime) -> Engagement:
    return signing.sign(
        engagement=engagement, party=engagement.builder, by=None, authority=listing.id, now=now
    )


def _chosen(
    own: TaskSetVersion | None, further: Sequence[TaskSetVersion], offer: EvaluatorOffer | None
) -> list[TaskSetVersion]:
    if offer is None and own is None:
        raise EngagementRefused(
            "choose a task set of yours, or the offer of a third party where the pact asks for one"
        )
    if offer is None:
        return [version for version in (own, *further) if version]
    if own or further:
        raise EngagementRefused(
            "a third party judges on its own tasks; choose its offer or tasks of yours, not both"
        )
    return [offer.task_set_version]


def refuse_suspended(agent_id: str) -> None:
    """Raises `ListingClosed` for an agent whose listing the platform suspended; one that its
    builder only paused may keep to what it offered."""
    if Listing.objects.filter(agent=agent_id, state=Listing.State.SUSPENDED).exists():
        raise ListingClosed("the platform suspended this agent; nobody hires it for now")


def refuse_closed(listing: Listing, now: datetime) -> None:
    """Read from its row: a control may have suspended it since the page was drawn.

    Raises ListingClosed.
    """
    state = Listing.objects.values_list("state", flat=True).get(pk=listing.pk)
    if state != Listing.State.OPEN:
        raise ListingClosed("this listing takes no new hires at the moment")
    sent = routed_elsewhere(listing, now=now)
    if sent:
        names = ", ".join(other.agent.name for other in others_of(listing)[:3])
        instead = f"; hire {names} instead" if names else ""
        raise ListingClosed(f"new hires go elsewhere for now: {sent.sentence}{instead}")


def routed_elsewhere(listing: Listing, *, now: datetime) -> Restriction | None:
    """The control that sends new hires of this listing to others, if one does."""
    found = restrictions.in_force(agent_id=listing.agent_id, now=now)
    return next((one for one in found if one.action == "route_elsewhere"), None)


def others_of(listing: Listing) -> QuerySet[Listing]:
    """Open listings of the same kind of work, the longest on offer first."""
    rows = Listing.objects.filter(agent__work=listing.agent.work, state=Listing.State.OPEN)
    return rows.exclude(pk=listing.pk).select_related("agent").order_by("opened_at")


def _milestone(version: TaskSetVersion, price: int, bond: int) -> MilestoneDraft:
    title = f"{version.task_set.name}: {version.size} tasks"
    return MilestoneDraft(title=title, amount=price, task_set_version=version, bond=bond)


def longest_hold_seconds() -> int | None:
    """How long money may be held: card rails end a hold after about 90 days, if one is set up."""
    cards = any(RAILS[name].ready for name in CARD_RAILS)
    return CARD_HOLD_SECONDS if cards else None


def timers_of(listing: Listing) -> Timers:
    """The listing's clocks."""
    return Timers(
        work_seconds=listing.work_seconds,
        evaluation_seconds=listing.evaluation_seconds,
        acceptance_seconds=listing.acceptance_seconds,
        cure_seconds=listing.cure_seconds,
    )


def record_claim(
    *,
    agent_version: AgentVersion,
    benchmark: str,
    score_bps: int,
    units: int,
    method: str,
    not_measured: str,
    ran_by: BenchmarkClaim.Runner,
    measured_on: date,
    now: datetime,
    evaluation: Evaluation | None = None,
    imported_run: ImportedRun | None = None,
    contamination: str = "",
) -> BenchmarkClaim:
    """Write down a benchmark score as a claim, with what it does not measure.

    Raises `ClaimRefused` when the run behind it is another version's or shows another score.
    """
    _check_behind(agent_version, score_bps, imported_run, measured_on, now)
    with transaction.atomic():
        claim = BenchmarkClaim.objects.create(
            agent_version=agent_version,
            benchmark=benchmark,
            score_bps=score_bps,
            units=units,
            method=method,
            not_measured=not_measured,
            ran_by=ran_by,
            evaluation=evaluation,
            imported_run=imported_run,
            contamination=contamination,
            measured_on=measured_on,
            recorded_at=now,
        )
        evidence.append(
            kind="claim.recorded",
            subjects={
                "claim": claim.id,
                "agent": agent_version.agent_id,
                "agent_version": agent_version.id,
            },
            facts={"benchmark": _token(benchmark), "score_bps": score_bps, "units": units},
            at=now,
        )
    return claim


def _check_behind(
    version: AgentVersion,
    score_bps: int,
    run: ImportedRun | None,
    measured_on: date,
    now: datetime,
) -> None:
    if measured_on > now.date():
        raise ClaimRefused("a score cannot be measured after today")
    if run is None:
        return
    if run.agent_version_id != version.id:
        raise ClaimRefused("the run behind the claim is of another version")
    shown = run.figures.get("accuracy")
    if shown is None or abs(float(shown) * 10_000 - score_bps) > CLAIM_SLACK_BPS:
        said = "no accuracy" if shown is None else f"{float(shown):.2%}"
        raise ClaimRefused(f"the run behind the claim shows {said}, not {score_bps / 100:.2f} %")


def _token(text: str) -> str:
    """Free text as an evidence token: lower-case words joined by dashes, at most 60 characters."""
    words = "".join(char if char.isalnum() and char.isascii() else " " for char in text).split()
    return "-".join(words).lower()[:60] or "unnamed"
