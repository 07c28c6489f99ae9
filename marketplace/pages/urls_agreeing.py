"""The pages on the way to an agreement, and the text both sign."""

from django.urls import path

from marketplace.pages import negotiations

urlpatterns = [
    path("agents/<slug:slug>/offer/", negotiations.negotiation_new, name="negotiation_new"),
    path("negotiations/", negotiations.negotiations, name="negotiations"),
    path("negotiations/<str:negotiation_id>/", negotiations.negotiation, name="negotiation"),
    path(
        "negotiations/<str:negotiation_id>/counter/",
        negotiations.negotiation_counter,
        name="negotiation_counter",
    ),
    path(
        "proposals/<str:proposal_id>/acceptance/",
        negotiations.proposal_acceptance,
        name="proposal_acceptance",
    ),
    path(
        "proposals/<str:proposal_id>/decline/",
        negotiations.proposal_decline,
        name="proposal_decline",
    ),
    path(
        "proposals/<str:proposal_id>/withdrawal/",
        negotiations.proposal_withdrawal,
        name="proposal_withdrawal",
    ),
    path("proposals/<str:proposal_id>/text/", negotiations.proposal_text, name="proposal_text"),
    path(
        "engagements/<str:engagement_id>/text/",
        negotiations.engagement_text,
        name="engagement_text",
    ),
]
