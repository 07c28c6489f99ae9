"""The tables of this floor. The database keeps the evidence and the log append-only."""

from reputation.models.controls import Control, ControlReview, Firing, Override
from reputation.models.evidence import Evidence, EvidencePayload, EvidenceSubject
from reputation.models.heads import Checkpoint, Cosignature, LogKey, WitnessAnswer
from reputation.models.log import EvidenceQueue, LogEntry, Tile
from reputation.models.standing import (
    BuilderReach,
    BuyerShare,
    BuyerStanding,
    BuyerTie,
    OpenRun,
    ScoreMove,
    Standing,
    StandingCursor,
    StandingPoint,
    StandingScore,
    UnruledDispute,
    UnsettledVerdict,
    VersionRecord,
)

__all__ = [
    "BuilderReach",
    "BuyerShare",
    "BuyerStanding",
    "BuyerTie",
    "Checkpoint",
    "Control",
    "ControlReview",
    "Cosignature",
    "Evidence",
    "EvidencePayload",
    "EvidenceQueue",
    "EvidenceSubject",
    "Firing",
    "LogEntry",
    "LogKey",
    "OpenRun",
    "Override",
    "ScoreMove",
    "Standing",
    "StandingCursor",
    "StandingPoint",
    "StandingScore",
    "Tile",
    "UnruledDispute",
    "UnsettledVerdict",
    "VersionRecord",
    "WitnessAnswer",
]
