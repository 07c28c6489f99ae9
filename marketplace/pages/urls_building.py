"""The builder's pages about an agent before it is listed, and about what it earned."""

from django.urls import path

from marketplace.pages import earnings, forecasts, prospects, readiness, rehearsals

urlpatterns = [
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
