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
from pacts.models.disputes import Dispute, DisputeStep, Exhibit
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
from pacts.models.needs import Need, SealedOffer
from pacts.models.negotiations import Negotiation, Proposal
from pacts.models.parties import Member, Party, PastMember, Signature, SigningKey, User
from pacts.models.policies import PolicyVersion
from pacts.models.promises import Pact, PactVersion
from pacts.models.reevaluations import ReEvaluation
from pacts.models.rehearsals import Rehearsal, RehearsedCase
from pacts.models.reviews import ReviewBatch, ReviewItem, ReviewLabel
from pacts.models.rulings import Appeal, Confirmation, Precedent, Recusal, Ruling
from pacts.models.tasksets import Task, TaskSet, TaskSetVersion

__all__ = [
    "Agent",
    "AgentVersion",
    "Appeal",
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
    "Confirmation",
    "Deliverable",
    "Dispute",
    "DisputeStep",
    "DriftAlarm",
    "Engagement",
    "Evaluation",
    "EvaluatorOffer",
    "Exhibit",
    "ImportedRun",
    "ImportedTrial",
    "Judgement",
    "Jury",
    "Member",
    "Milestone",
    "Need",
    "Negotiation",
    "Observation",
    "Pact",
    "PactVersion",
    "Party",
    "PastMember",
    "PolicyVersion",
    "Precedent",
    "Proposal",
    "ReEvaluation",
    "Recusal",
    "Rehearsal",
    "RehearsedCase",
    "ReviewBatch",
    "ReviewItem",
    "ReviewLabel",
    "Ruling",
    "SealedOffer",
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
