"""The roof's rows: what is on offer, and what follows from how production goes."""

from marketplace.models.erasures import ErasureRequest
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
from marketplace.models.routing import Route, RoutedCall, RouteEntry
from marketplace.models.searching import SearchEntry
from marketplace.models.shadows import Replay, Shadow, ShadowPair

__all__ = [
    "AgentWatch",
    "ApiKey",
    "BenchmarkClaim",
    "Delivery",
    "DeliveryAttempt",
    "ErasureRequest",
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
    "Replay",
    "ReplayedRequest",
    "Route",
    "RouteEntry",
    "RoutedCall",
    "SearchEntry",
    "Shadow",
    "ShadowPair",
    "StandingCredential",
    "WatchCursor",
]
