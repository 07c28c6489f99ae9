"""Addresses of the nouns on the way to an agreement."""

from marketplace.api import foretelling, negotiations
from marketplace.api.addresses import path

urlpatterns = [
    path("negotiations", negotiations.Negotiations.as_view(), name="negotiations"),
    path("negotiations/<id:id>", negotiations.OneNegotiation.as_view(), name="negotiation"),
    path("negotiations/<id:id>/proposals", negotiations.Proposals.as_view(), name="proposals"),
    path("proposals/<id:id>", negotiations.OneProposal.as_view(), name="proposal"),
    path(
        "proposals/<id:id>/changes",
        negotiations.ProposalChanges.as_view(),
        name="proposal-changes",
    ),
    path("proposals/<id:id>/text", negotiations.ProposalText.as_view(), name="proposal-text"),
    path("proposals/<id:id>/ways", foretelling.ProposalWays.as_view(), name="proposal-ways"),
    path(
        "proposals/<id:id>/acceptance",
        negotiations.ProposalAcceptance.as_view(),
        name="proposal-acceptance",
    ),
    path(
        "proposals/<id:id>/decline", negotiations.ProposalDecline.as_view(), name="proposal-decline"
    ),
    path(
        "proposals/<id:id>/withdrawal",
        negotiations.ProposalWithdrawal.as_view(),
        name="proposal-withdrawal",
    ),
    path("engagements/<id:id>/text", negotiations.EngagementText.as_view(), name="engagement-text"),
    path("listings/<id:id>/ways", foretelling.ListingWays.as_view(), name="listing-ways"),
    path("milestones/<id:id>/ways", foretelling.MilestoneWays.as_view(), name="milestone-ways"),
]
