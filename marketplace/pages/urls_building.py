"""The builder's pages about an agent before it is listed, and about what it earned."""

from django.urls import path

from marketplace.pages import forecasts

urlpatterns = [
    path("builder/pacts/<str:version_id>/forecast/", forecasts.pact_forecast, name="pact_forecast"),
]
