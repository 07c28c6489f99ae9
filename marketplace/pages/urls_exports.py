"""Taking everything along."""

from django.urls import path

from marketplace.pages import archives, takeaways

urlpatterns = [
    path("archives/", archives.archives, name="archives"),
    path("archives/<str:archive_id>/content.zip", archives.archive_zip, name="archive_zip"),
    path(
        "task-sets/versions/<str:task_set_version_id>/tasks.jsonl",
        takeaways.task_set_lines,
        name="task_set_lines",
    ),
    path("tryouts/<str:tryout_id>/tasks.csv", takeaways.tryout_csv, name="tryout_csv"),
]
