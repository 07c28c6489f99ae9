"""The tables of this floor. The database keeps the evidence and the log append-only."""

from reputation.models.controls import Control, ControlReview, Firing, Override
from reputation.models.evidence import Evidence, EvidencePayload, EvidenceSubject
from reputation.models.log import EvidenceQueue, LogEntry
from reputation.models.standing import Standing, StandingCursor, UnsettledVerdict

__all__ = [
    "Control",
    "ControlReview",
    "Evidence",
    "EvidencePayload",
    "EvidenceQueue",
    "EvidenceSubject",
    "Firing",
    "LogEntry",
    "Override",
    "Standing",
    "StandingCursor",
    "UnsettledVerdict",
]
