"""The table of refusals: what the domain raises, and the status it answers with.

400 cannot be read, 403 not for you, 404 not there, 409 not now, 413 too much, 422 not like this.
A subclass answers as its nearest listed ancestor.
"""

from marketplace.credentials import CredentialRefused
from marketplace.exporting.packing import ArchiveGone
from marketplace.gaming.freezing import FreezeRefused
from marketplace.hiring import ClaimRefused, ListingClosed, ListingRefused
from marketplace.hooks.keeping import HookIsOff, HookRefused
from marketplace.incidents.handling import (
    IncidentNotYours,
    IncidentRefused,
    IncidentResolved,
)
from marketplace.keys import KeyRefused
from marketplace.membership import MemberRefused
from marketplace.notices.choices import ChoiceRefused
from marketplace.periods import PeriodMalformed
from marketplace.picking import PickRefused
from marketplace.policy import PolicyChanged, PolicyNeedsSecond, PolicyRefused
from marketplace.replies import ReplyRefused
from marketplace.routing.calling import InputRefused
from marketplace.routing.keeping import RouteClosed, RouteRefused
from marketplace.searches.saving import SearchRefused
from marketplace.shadows.replaying import ReplayRefused
from marketplace.shadows.running import ShadowEnded, ShadowRefused
from marketplace.steering import ControlNotYours
from marketplace.tryouts.starting import TryoutOver, TryoutRefused
from pacts.addresses import UrlRefused
from pacts.agents.card import CardUnusable
from pacts.budgets import BudgetRefused
from pacts.calls_backlog import TooManyWaiting
from pacts.calls_kept import KeepingRefused
from pacts.checks.check import BadParams
from pacts.disputes import (
    ConflictOfInterest,
    DisputeAlreadyOpen,
    DisputeClosed,
    DisputeRefused,
    ExhibitErased,
    NotAnAdjudicator,
    NotYetRipe,
    PrecedentRefused,
    RulingIncomplete,
    TooManyDisputes,
)
from pacts.egress import EgressRefused
from pacts.engagements import (
    EngagementRefused,
    MilestoneEnded,
    NotAParty,
    OfferLapsed,
    RevisionRefused,
)
from pacts.evaluation import EvaluationRefused
from pacts.evaluators import EvaluatorRefused, NotTheEvaluator
from pacts.forecasts import ForecastRefused
from pacts.imports import ImportRefused
from pacts.judges.agreement import AgreementUnreadable
from pacts.judges.calibrating import JuryExists, JuryNotTrusted, JuryRefused
from pacts.needs import NeedClosed, NeedRefused, OfferRefused
from pacts.negotiations import NotYourOffer
from pacts.otlp import TraceMalformed
from pacts.patterns import PatternRefused
from pacts.proposals import ProposalClosed, ProposalRefused
from pacts.publishing import AlreadyPublished, PactRefused
from pacts.reevaluations import ReEvaluationDue
from pacts.registry import ControlNotProved, NameTaken, SameVersion, UnknownProtocol
from pacts.rehearsals import RehearsalRefused
from pacts.reviews import AlreadyLabelled, NotAReviewer, ReviewRefused
from pacts.schemas import SchemaRefused
from pacts.tasksets import TaskSetRefused
from pacts.templates_library import UnknownTemplate
from pacts.terms import TermsError
from reputation.canonical import NotCanonical
from reputation.controlling import ControlChanged, ControlUseless
from reputation.firings import FiringLifted, OverrideRefused
from reputation.proofs import NotYetProvable
from settlement.escrow import EscrowRefused, NotYourSide
from settlement.idempotency import IdempotencyKeyMalformed
from settlement.ledger import IdempotencyKeyReused, InsufficientFunds
from settlement.money import AmountMalformed, CurrencyMismatch, CurrencyUnknown
from settlement.payouts import NotYourPayout, PayoutUnderWay, RefundRefused
from settlement.rails import PlaceMalformed, RailUnknown
from settlement.reconciliation import DifferenceAlreadyResolved, ResolutionRefused
from settlement.retries import TooContended

REFUSALS: dict[type, int] = {
    NotCanonical: 400,
    TooManyWaiting: 429,
    TraceMalformed: 400,
    KeepingRefused: 422,
    NotYetProvable: 409,
    # parties and keys
    MemberRefused: 422,
    KeyRefused: 422,
    # what follows from production
    ChoiceRefused: 422,
    SearchRefused: 422,
    HookRefused: 422,
    HookIsOff: 409,
    IncidentRefused: 422,
    IncidentResolved: 409,
    IncidentNotYours: 403,
    RouteRefused: 422,
    RouteClosed: 409,
    InputRefused: 422,
    ShadowRefused: 422,
    ShadowEnded: 409,
    ReplayRefused: 422,
    # agents
    UnknownProtocol: 422,
    NameTaken: 409,
    SameVersion: 409,
    ControlNotProved: 422,
    CardUnusable: 422,
    EgressRefused: 422,
    UrlRefused: 422,
    # pacts
    TermsError: 422,
    UnknownTemplate: 422,
    BadParams: 422,
    PatternRefused: 422,
    SchemaRefused: 422,
    PactRefused: 422,
    ForecastRefused: 422,
    ReplyRefused: 422,
    RehearsalRefused: 422,
    AlreadyPublished: 409,
    # tasks and evaluations
    TaskSetRefused: 422,
    EvaluationRefused: 422,
    TryoutRefused: 422,
    NeedRefused: 422,
    NeedClosed: 409,
    OfferRefused: 422,
    PickRefused: 409,
    ArchiveGone: 410,
    TryoutOver: 409,
    BudgetRefused: 422,
    EvaluatorRefused: 422,
    NotTheEvaluator: 403,
    ImportRefused: 422,
    ClaimRefused: 422,
    # juries and reviews
    JuryRefused: 422,
    JuryExists: 409,
    JuryNotTrusted: 422,
    ReviewRefused: 409,
    AlreadyLabelled: 409,
    NotAReviewer: 403,
    # standing
    CredentialRefused: 422,
    # hiring
    ListingRefused: 422,
    ListingClosed: 409,
    EngagementRefused: 422,
    ProposalRefused: 422,
    ProposalClosed: 409,
    NotYourOffer: 403,
    OfferLapsed: 409,
    MilestoneEnded: 409,
    NotAParty: 403,
    RevisionRefused: 409,
    # controls
    ControlUseless: 422,
    ControlChanged: 409,
    ControlNotYours: 403,
    OverrideRefused: 422,
    FiringLifted: 409,
    ReEvaluationDue: 409,
    # disputes
    DisputeRefused: 422,
    DisputeAlreadyOpen: 409,
    DisputeClosed: 409,
    NotAnAdjudicator: 403,
    ConflictOfInterest: 403,
    RulingIncomplete: 422,
    NotYetRipe: 409,
    ExhibitErased: 410,
    AgreementUnreadable: 422,
    PolicyRefused: 422,
    PolicyChanged: 409,
    PolicyNeedsSecond: 403,
    FreezeRefused: 409,
    TooManyDisputes: 429,
    PrecedentRefused: 422,
    # money
    EscrowRefused: 409,
    TooContended: 409,
    ResolutionRefused: 422,
    DifferenceAlreadyResolved: 409,
    NotYourSide: 403,
    PayoutUnderWay: 409,
    NotYourPayout: 403,
    RailUnknown: 422,
    PlaceMalformed: 400,
    PeriodMalformed: 400,
    RefundRefused: 422,
    IdempotencyKeyMalformed: 400,
    InsufficientFunds: 422,
    IdempotencyKeyReused: 422,
    CurrencyMismatch: 422,
    CurrencyUnknown: 422,
    AmountMalformed: 400,
}
