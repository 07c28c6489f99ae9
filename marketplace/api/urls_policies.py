"""The API's addresses of the platform's own settings."""

from django.urls import path

from marketplace.api import policies

urlpatterns = [
    path("policy", policies.ThePolicy.as_view(), name="policy"),
    path("policy/versions", policies.PolicyVersions.as_view(), name="policy-versions"),
    path("policy/proposals", policies.PolicyProposals.as_view(), name="policy-proposals"),
    path("policy/proposals/<id:id>", policies.OneProposal.as_view(), name="policy-proposal"),
    path(
        "policy/proposals/<id:id>/decision",
        policies.ProposalDecision.as_view(),
        name="policy-proposal-decision",
    ),
]
