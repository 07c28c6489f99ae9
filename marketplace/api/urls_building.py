"""The builder's nouns about an agent before it is listed, and about what it earned."""

from marketplace.api import forecasts
from marketplace.api.addresses import path

urlpatterns = [
    path("pact-forecasts", forecasts.PactForecasts.as_view(), name="pact-forecasts"),
]
