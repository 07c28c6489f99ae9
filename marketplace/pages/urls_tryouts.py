"""Bringing tasks, a buyer's own pacts, and trying several agents at once."""

from django.urls import path

from marketplace.pages import asked, sheets, tryouts

urlpatterns = [
    path("task-sheets/new/", sheets.task_sheet_new, name="task_sheet_new"),
    path("task-sheets/<str:sheet_id>/", sheets.task_sheet, name="task_sheet"),
    path("asked-pacts/", asked.asked_pacts, name="asked_pacts"),
    path("asked-pacts/new/", asked.asked_pact_new, name="asked_pact_new"),
    path("asked-pacts/<str:asked_id>/", asked.asked_pact, name="asked_pact"),
    path("tryouts/", tryouts.tryouts, name="tryouts"),
    path("tryouts/new/", tryouts.tryout_new, name="tryout_new"),
    path("tryouts/hires/", tryouts.tryout_hires, name="tryout_hires"),
    path("tryouts/<str:tryout_id>/", tryouts.tryout, name="tryout"),
    path("tryouts/<str:tryout_id>/live/", tryouts.tryout_live, name="tryout_live"),
    path("tryouts/<str:tryout_id>/tasks/", tryouts.tryout_tasks, name="tryout_tasks"),
    path(
        "tryouts/<str:tryout_id>/cancellation/",
        tryouts.tryout_cancellation,
        name="tryout_cancellation",
    ),
]
