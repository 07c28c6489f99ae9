"""The nouns of the API, at `/api/v1/`. Each name has its row in `marketplace.access`."""

from django.urls import path, register_converter

from marketplace.api import (
    agents,
    calls,
    cancellations,
    checks,
    controls,
    disputes,
    engagements,
    evaluations,
    evidence,
    imports,
    juries,
    keys,
    listings,
    log,
    money,
    oracle,
    otlp,
    pacts,
    papers,
    parties,
    reconciliations,
    reviews,
    standing,
    tasksets,
)
from reputation.identifiers import ID_PATTERN


class IdConverter:
    """A public id in an address. What does not look like one is at no address at all."""

    regex = ID_PATTERN.pattern

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(IdConverter, "id")

app_name = "api"
urlpatterns = [
    # First, because it is read most: an address further down costs a look at each one above it.
    path("oracle/<id:id>", oracle.Oracle.as_view(), name="oracle"),
    path("me", parties.Me.as_view(), name="me"),
    path("parties", parties.Parties.as_view(), name="parties"),
    path("parties/<id:id>", parties.OneParty.as_view(), name="party"),
    path("parties/<id:id>/members", parties.Members.as_view(), name="members"),
    path("parties/<id:id>/members/<id:member>", parties.OneMember.as_view(), name="member"),
    path("keys", keys.Keys.as_view(), name="keys"),
    path("keys/<id:id>", keys.OneKey.as_view(), name="key"),
    path("agents", agents.Agents.as_view(), name="agents"),
    path("agent-cards", agents.AgentCards.as_view(), name="agent-cards"),
    path("agents/<id:id>", agents.OneAgent.as_view(), name="agent"),
    path("agents/<id:id>/versions", agents.AgentVersions.as_view(), name="agent-versions"),
    path("agents/<id:id>/control-proof", agents.ControlProof.as_view(), name="control-proof"),
    path("agent-versions/<id:id>", agents.OneAgentVersion.as_view(), name="agent-version"),
    path("pacts", pacts.Pacts.as_view(), name="pacts"),
    path("pacts/<id:id>", pacts.OnePact.as_view(), name="pact"),
    path("pacts/<id:id>/versions", pacts.PactVersions.as_view(), name="pact-versions"),
    path("pact-versions/<id:id>", pacts.OnePactVersion.as_view(), name="pact-version"),
    path("pact-versions/<id:id>/text", pacts.PactText.as_view(), name="pact-text"),
    path(
        "pact-versions/<id:id>/difference", pacts.PactDifference.as_view(), name="pact-difference"
    ),
    path("pact-reviews", pacts.PactReviews.as_view(), name="pact-reviews"),
    path("pact-schema", pacts.PactSchema.as_view(), name="pact-schema"),
    path("checks", checks.Checks.as_view(), name="checks"),
    path("checks/<slug:id>", checks.OneCheck.as_view(), name="check"),
    path("pact-templates", pacts.PactTemplates.as_view(), name="pact-templates"),
    path("pact-templates/<slug:id>", pacts.OnePactTemplate.as_view(), name="pact-template"),
    path("pact-versions/<id:id>/lint", pacts.PactLint.as_view(), name="pact-lint"),
    path("pact-versions/<id:id>/publication", pacts.Publication.as_view(), name="publication"),
    path("task-sets", tasksets.TaskSets.as_view(), name="task-sets"),
    path("task-sets/<id:id>", tasksets.OneTaskSet.as_view(), name="task-set"),
    path(
        "task-sets/<id:id>/versions", tasksets.TaskSetVersions.as_view(), name="task-set-versions"
    ),
    path(
        "task-set-versions/<id:id>", tasksets.OneTaskSetVersion.as_view(), name="task-set-version"
    ),
    path("task-set-versions/<id:id>/tasks", tasksets.Tasks.as_view(), name="tasks"),
    path("listings", listings.Listings.as_view(), name="listings"),
    path("listings/<id:id>", listings.OneListing.as_view(), name="listing"),
    path("listings/<id:id>/pause", listings.ListingPause.as_view(), name="listing-pause"),
    path("benchmark-claims", listings.Claims.as_view(), name="claims"),
    path("benchmark-claims/<id:id>", listings.OneClaim.as_view(), name="claim"),
    path("imported-runs", imports.ImportedRuns.as_view(), name="imported-runs"),
    path("imported-runs/<id:id>", imports.OneImportedRun.as_view(), name="imported-run"),
    path("imported-runs/<id:id>/trials", imports.ImportedTrials.as_view(), name="imported-trials"),
    path("screening", imports.TheScreening.as_view(), name="screening"),
    path("evaluations", evaluations.Evaluations.as_view(), name="evaluations"),
    path("evaluations/<id:id>", evaluations.OneEvaluation.as_view(), name="evaluation"),
    path("evaluations/<id:id>/trials", evaluations.Trials.as_view(), name="trials"),
    path("evaluations/<id:id>/verdict", evaluations.OneVerdict.as_view(), name="verdict"),
    path(
        "evaluations/<id:id>/cancellation",
        evaluations.EvaluationCancellation.as_view(),
        name="evaluation-cancellation",
    ),
    path("evaluations/<id:id>/rerun", evaluations.EvaluationRerun.as_view(), name="rerun"),
    path("evaluations/<id:id>/erasure", evaluations.EvaluationErasure.as_view(), name="erasure"),
    path("evaluations/<id:id>/bundle", evaluations.EvaluationBundle.as_view(), name="bundle"),
    path(
        "evaluations/<id:id>/failure-modes",
        evaluations.FailureModes.as_view(),
        name="failure-modes",
    ),
    path(
        "evaluations/<id:id>/judgements", juries.Judgements.as_view(), name="evaluation-judgements"
    ),
    path("juries", juries.Juries.as_view(), name="juries"),
    path("juries/<id:id>", juries.OneJury.as_view(), name="jury"),
    path("juries/<id:id>/calibrations", juries.Calibrations.as_view(), name="calibrations"),
    path("juries/<id:id>/review-draws", juries.ReviewDraws.as_view(), name="review-draws"),
    path("reviews", reviews.Reviews.as_view(), name="reviews"),
    path("reviews-waiting", reviews.WaitingReviews.as_view(), name="reviews-waiting"),
    path("reviews/<id:id>", reviews.OneReview.as_view(), name="review"),
    path("reviews/<id:id>/label", reviews.Label.as_view(), name="review-label"),
    path("engagements", engagements.Engagements.as_view(), name="engagements"),
    path("engagements/<id:id>", engagements.OneEngagement.as_view(), name="engagement"),
    path(
        "engagements/<id:id>/signature",
        engagements.EngagementSignature.as_view(),
        name="signature",
    ),
    path("engagements/<id:id>/live", calls.LiveVerdicts.as_view(), name="live-verdicts"),
    path("engagements/<id:id>/call-policy", calls.Policy.as_view(), name="call-policy"),
    path("engagements/<id:id>/call-erasure", calls.Erasing.as_view(), name="call-erasure"),
    path("calls", calls.Calls.as_view(), name="calls"),
    path("calls/<id:id>", calls.OneCall.as_view(), name="call"),
    path("otlp/v1/traces", otlp.Traces.as_view(), name="traces"),
    path("call-backlog", calls.TheBacklog.as_view(), name="call-backlog"),
    path("milestones", engagements.Milestones.as_view(), name="milestones"),
    path("milestones/<id:id>", engagements.OneMilestone.as_view(), name="milestone"),
    path("milestones/<id:id>/funding", engagements.Funding.as_view(), name="funding"),
    path("milestones/<id:id>/acceptance", engagements.Acceptance.as_view(), name="acceptance"),
    path("milestones/<id:id>/return", engagements.GivingBack.as_view(), name="return"),
    path("milestones/<id:id>/revision", engagements.Revision.as_view(), name="revision"),
    path(
        "milestones/<id:id>/dispute", engagements.DisputeOpening.as_view(), name="dispute-opening"
    ),
    path(
        "milestones/<id:id>/cancellation",
        cancellations.CancellationOpening.as_view(),
        name="cancellation-opening",
    ),
    path("cancellations", cancellations.Cancellations.as_view(), name="cancellations"),
    path("cancellations/<id:id>", cancellations.OneCancellation.as_view(), name="cancellation"),
    path(
        "cancellations/<id:id>/acceptance",
        cancellations.CancellationAcceptance.as_view(),
        name="cancellation-acceptance",
    ),
    path(
        "cancellations/<id:id>/withdrawal",
        cancellations.CancellationWithdrawal.as_view(),
        name="cancellation-withdrawal",
    ),
    path("disputes", disputes.Disputes.as_view(), name="disputes"),
    path("disputes/<id:id>", disputes.OneDispute.as_view(), name="dispute"),
    path("disputes/<id:id>/answer", disputes.DisputeAnswer.as_view(), name="dispute-answer"),
    path(
        "disputes/<id:id>/withdrawal",
        disputes.DisputeWithdrawal.as_view(),
        name="dispute-withdrawal",
    ),
    path("disputes/<id:id>/ruling", disputes.OneRuling.as_view(), name="ruling"),
    path("balances", money.Balances.as_view(), name="balances"),
    path("statement", money.Statement.as_view(), name="statement"),
    path("deposits", money.Deposits.as_view(), name="deposits"),
    path("deposits/<id:id>", money.OneDeposit.as_view(), name="deposit"),
    path("payouts", money.Payouts.as_view(), name="payouts"),
    path("payouts/<id:id>", money.OnePayout.as_view(), name="payout"),
    path(
        "payouts/<id:id>/cancellation",
        money.PayoutCancellation.as_view(),
        name="payout-cancellation",
    ),
    path("deposits/<id:id>/refund", money.DepositRefund.as_view(), name="refund"),
    path("statement/period", papers.StatementPeriod.as_view(), name="statement-period"),
    path("statement.csv", papers.StatementFile.as_view(), name="statement-file"),
    path("reconciliations", reconciliations.Reconciliations.as_view(), name="reconciliations"),
    path("differences", reconciliations.Differences.as_view(), name="differences"),
    path("differences/<id:id>", reconciliations.OneDifference.as_view(), name="difference"),
    path(
        "differences/<id:id>/resolution",
        reconciliations.DifferenceSettling.as_view(),
        name="difference-resolution",
    ),
    path("receipts/<id:id>.pdf", papers.ReceiptPaper.as_view(), name="receipt-paper"),
    path("receipts", money.Receipts.as_view(), name="receipts"),
    path("receipts/<id:id>", money.OneReceipt.as_view(), name="receipt"),
    path("controls", controls.Controls.as_view(), name="controls"),
    path("controls/<id:id>", controls.OneControl.as_view(), name="control"),
    path("controls/<id:id>/versions", controls.ControlVersions.as_view(), name="control-versions"),
    path("controls/<id:id>/retirement", controls.Retirement.as_view(), name="control-retirement"),
    path("controls/<id:id>/reviews", controls.Reviews.as_view(), name="control-reviews"),
    path("firings", controls.Firings.as_view(), name="firings"),
    path("firings/<id:id>", controls.OneFiring.as_view(), name="firing"),
    path("firings/<id:id>/override", controls.OverrideOpening.as_view(), name="firing-override"),
    path("firings/<id:id>/resolution", controls.Resolution.as_view(), name="firing-resolution"),
    path(
        "firings/<id:id>/re-evaluation",
        controls.ReEvaluationOpening.as_view(),
        name="firing-re-evaluation",
    ),
    path("evidence", evidence.EvidenceLog.as_view(), name="evidence-log"),
    path("evidence/<id:id>", evidence.OneEvidence.as_view(), name="evidence"),
    path("evidence/<id:id>/proof", log.EvidenceProof.as_view(), name="evidence-proof"),
    path("evidence/<id:id>/bundle", log.EvidenceBundle.as_view(), name="evidence-bundle"),
    path("agents/<id:id>/bundle", log.AgentBundle.as_view(), name="agent-bundle"),
    path("engagements/<id:id>/bundle", log.EngagementBundle.as_view(), name="engagement-bundle"),
    path("evidence-kinds", log.EvidenceKinds.as_view(), name="evidence-kinds"),
    path("log", log.TheLog.as_view(), name="log"),
    path("log/heads", log.Heads.as_view(), name="heads"),
    path("log/consistency", log.Consistency.as_view(), name="consistency"),
    path("agents/<id:id>/signals", standing.StandingSignals.as_view(), name="signals"),
    path(
        "agents/<id:id>/standing-history",
        standing.StandingHistory.as_view(),
        name="standing-history",
    ),
    path("parties/<id:id>/buyer-standing", standing.BuyerStandings.as_view(), name="buyer"),
    path("credentials", standing.Credentials.as_view(), name="credentials"),
    path("credentials/<id:id>", standing.OneCredential.as_view(), name="credential"),
    path("jwks", standing.Jwks.as_view(), name="jwks"),
    path("standings", evidence.Standings.as_view(), name="standings"),
    path("standings/<id:id>", evidence.OneStanding.as_view(), name="standing"),
]
