"""The builder's nouns about an agent before it is listed, and about what it earned."""

from marketplace.api import (
    contesting,
    earnings,
    forecasts,
    keys,
    prospects,
    readiness,
    rehearsals,
    replies,
)
from marketplace.api.addresses import path

urlpatterns = [
    path("keys/<id:id>/rotation", keys.KeyRotation.as_view(), name="key-rotation"),
    path("replies", replies.Replies.as_view(), name="replies"),
    path("replies/<id:id>", replies.OneReply.as_view(), name="reply"),
    path("evaluations/<id:id>/contest-ways", contesting.ContestWays.as_view(), name="contest-ways"),
    path("earnings", earnings.Earnings.as_view(), name="earnings"),
    path("earnings/hires", earnings.EarnedHires.as_view(), name="earned-hires"),
    path("earnings/expected", earnings.ExpectedEarnings.as_view(), name="expected-earnings"),
    path("pact-forecasts", forecasts.PactForecasts.as_view(), name="pact-forecasts"),
    path("rehearsals", rehearsals.Rehearsals.as_view(), name="rehearsals"),
    path("rehearsals/<id:id>", rehearsals.OneRehearsal.as_view(), name="rehearsal"),
    path("agents/<id:id>/prospects", prospects.AgentProspects.as_view(), name="prospects"),
    path("agents/<id:id>/readiness", readiness.AgentReadiness.as_view(), name="readiness"),
]
