"""Addresses of pages that are pictures of what other pages say."""

from django.urls import path

from marketplace.pages import trials

urlpatterns = [
    path(
        "evaluations/<str:evaluation_id>/trials/",
        trials.evaluation_trials,
        name="evaluation_trials",
    ),
]
