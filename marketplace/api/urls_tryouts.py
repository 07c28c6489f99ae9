"""Bringing tasks, a buyer's own pacts, and trying several agents at once."""

from marketplace.api import sheets, tryouts
from marketplace.api.addresses import path

urlpatterns = [
    path("task-sheets", sheets.TaskSheets.as_view(), name="task-sheets"),
    path("task-sheets/<id:id>", sheets.OneTaskSheet.as_view(), name="task-sheet"),
    path(
        "task-sheets/<id:id>/preview",
        sheets.TaskSheetPreview.as_view(),
        name="task-sheet-preview",
    ),
    path("task-sheets/<id:id>/task-set", sheets.TaskSheetSet.as_view(), name="task-sheet-set"),
    path("asked-pacts", tryouts.AskedPacts.as_view(), name="asked-pacts"),
    path("tryouts", tryouts.Tryouts.as_view(), name="tryouts"),
    path("tryout-hires", tryouts.TryoutHires.as_view(), name="tryout-hires"),
    path("tryout-forecasts", tryouts.TryoutForecasts.as_view(), name="tryout-forecasts"),
    path("tryouts/<id:id>", tryouts.OneTryout.as_view(), name="tryout"),
    path("tryouts/<id:id>/tasks", tryouts.TryoutTasks.as_view(), name="tryout-tasks"),
    path(
        "tryouts/<id:id>/cancellation",
        tryouts.TryoutCancellation.as_view(),
        name="tryout-cancellation",
    ),
]
