"""The builder's pages about an agent before it is listed, and about what it earned."""

from django.urls import path

from marketplace.pages import (
    earnings,
    forecasts,
    parties,
    prospects,
    readiness,
    rehearsals,
    replies,
)

urlpatterns = [
    path("keys/<str:key_id>/rotation/", parties.key_rotation, name="key_rotation"),
    path(
        "evaluations/<str:evaluation_id>/reply/", replies.evaluation_reply, name="evaluation_reply"
    ),
    path("incidents/<str:incident_id>/reply/", replies.incident_reply, name="incident_reply"),
    path("replies/<str:reply_id>/erasure/", replies.reply_erasure, name="reply_erasure"),
    path("builder/earnings/", earnings.earnings, name="earnings"),
    path("builder/earnings.csv", earnings.earnings_file, name="earnings_file"),
    path("builder/pacts/<str:version_id>/forecast/", forecasts.pact_forecast, name="pact_forecast"),
    path("builder/pacts/<str:version_id>/dry-run/", rehearsals.dry_run_new, name="dry_run_new"),
    path("builder/agents/<slug:slug>/readiness/", readiness.readiness, name="readiness"),
    path("builder/agents/<slug:slug>/prospects/", prospects.prospects, name="prospects"),
    path("builder/agents/<slug:slug>/ping/", rehearsals.ping, name="ping"),
    path(
        "builder/agents/<slug:slug>/adversarial/",
        rehearsals.adversarial_new,
        name="adversarial_new",
    ),
    path("rehearsals/<str:rehearsal_id>/", rehearsals.rehearsal, name="rehearsal"),
    path("rehearsals/<str:rehearsal_id>/live/", rehearsals.rehearsal_live, name="rehearsal_live"),
    path(
        "rehearsals/<str:rehearsal_id>/deletion/",
        rehearsals.rehearsal_deletion,
        name="rehearsal_deletion",
    ),
]
