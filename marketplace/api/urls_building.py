"""The builder's nouns about an agent before it is listed, and about what it earned."""

from marketplace.api import earnings, forecasts, prospects, readiness, rehearsals
from marketplace.api.addresses import path

urlpatterns = [
    path("earnings", earnings.Earnings.as_view(), name="earnings"),
    path("pact-forecasts", forecasts.PactForecasts.as_view(), name="pact-forecasts"),
    path("rehearsals", rehearsals.Rehearsals.as_view(), name="rehearsals"),
    path("rehearsals/<id:id>", rehearsals.OneRehearsal.as_view(), name="rehearsal"),
    path("agents/<id:id>/prospects", prospects.AgentProspects.as_view(), name="prospects"),
    path("agents/<id:id>/readiness", readiness.AgentReadiness.as_view(), name="readiness"),
]
