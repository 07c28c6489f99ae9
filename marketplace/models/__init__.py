"""The roof's rows: what is on offer, and what follows from how production goes."""

from marketplace.models.erasures import ErasureRequest
from marketplace.models.exports import Archive, ArchivePiece
from marketplace.models.hooks import Delivery, DeliveryAttempt, Hook, HookSecret
from marketplace.models.incidents import Incident, IncidentEntry
from marketplace.models.market import (
    AgentWatch,
    ApiKey,
    BenchmarkClaim,
    HireChoice,
    Listing,
    OracleAnswer,
    ReplayedRequest,
    StandingCredential,
    WatchCursor,
)
from marketplace.models.notices import Mail, News, NewsCursor, Notice, NoticeChoice
from marketplace.models.replies import FindingReply
from marketplace.models.routing import Route, RoutedCall, RouteEntry
from marketplace.models.screening import Screening
from marketplace.models.searching import (
    EntryBefore,
    SavedSearch,
    SearchChange,
    SearchEntry,
    SearchLook,
)
from marketplace.models.shadows import Replay, Shadow, ShadowPair
from marketplace.models.tryouts import TaskSheet, Tryout, TryoutAgent
from marketplace.models.watching import (
    AgreementReport,
    PolicyProposal,
    ScoreReading,
    Suspicion,
    SuspicionStep,
)

__all__ = [
    "AgentWatch",
    "AgreementReport",
    "ApiKey",
    "Archive",
    "ArchivePiece",
    "BenchmarkClaim",
    "Delivery",
    "DeliveryAttempt",
    "EntryBefore",
    "ErasureRequest",
    "FindingReply",
    "HireChoice",
    "Hook",
    "HookSecret",
    "Incident",
    "IncidentEntry",
    "Listing",
    "Mail",
    "News",
    "NewsCursor",
    "Notice",
    "NoticeChoice",
    "OracleAnswer",
    "PolicyProposal",
    "Replay",
    "ReplayedRequest",
    "Route",
    "RouteEntry",
    "RoutedCall",
    "SavedSearch",
    "ScoreReading",
    "Screening",
    "SearchChange",
    "SearchEntry",
    "SearchLook",
    "Shadow",
    "ShadowPair",
    "StandingCredential",
    "Suspicion",
    "SuspicionStep",
    "TaskSheet",
    "Tryout",
    "TryoutAgent",
    "WatchCursor",
]
