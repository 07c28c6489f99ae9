"""What was promised and whether it was kept, as rows."""

from pacts.models.agents import Agent, AgentVersion, CallPace
from pacts.models.calls import (
    Call,
    CallContent,
    CallHearing,
    CallObservation,
    CallPolicy,
    CallSession,
    CallShift,
    CallStream,
    ClauseWindow,
    DriftAlarm,
    WaitingCall,
)
from pacts.models.canaries import CanaryDraw
from pacts.models.disputes import Dispute, Ruling
from pacts.models.engagements import Deliverable, Engagement, Milestone
from pacts.models.evaluations import (
    Artifact,
    ClauseVerdict,
    Evaluation,
    Observation,
    Trial,
    Verdict,
)
from pacts.models.evaluators import EvaluatorOffer
from pacts.models.imports import ImportedRun, ImportedTrial
from pacts.models.juries import Calibration, Judgement, Jury
from pacts.models.parties import Member, Party, Signature, SigningKey, User
from pacts.models.promises import Pact, PactVersion
from pacts.models.reevaluations import ReEvaluation
from pacts.models.reviews import ReviewBatch, ReviewItem, ReviewLabel
from pacts.models.tasksets import Task, TaskSet, TaskSetVersion

__all__ = [
    "Agent",
    "AgentVersion",
    "Artifact",
    "Calibration",
    "Call",
    "CallContent",
    "CallHearing",
    "CallObservation",
    "CallPace",
    "CallPolicy",
    "CallSession",
    "CallShift",
    "CallStream",
    "CanaryDraw",
    "ClauseVerdict",
    "ClauseWindow",
    "Deliverable",
    "Dispute",
    "DriftAlarm",
    "Engagement",
    "Evaluation",
    "EvaluatorOffer",
    "ImportedRun",
    "ImportedTrial",
    "Judgement",
    "Jury",
    "Member",
    "Milestone",
    "Observation",
    "Pact",
    "PactVersion",
    "Party",
    "ReEvaluation",
    "ReviewBatch",
    "ReviewItem",
    "ReviewLabel",
    "Ruling",
    "Signature",
    "SigningKey",
    "Task",
    "TaskSet",
    "TaskSetVersion",
    "Trial",
    "User",
    "Verdict",
    "WaitingCall",
]
