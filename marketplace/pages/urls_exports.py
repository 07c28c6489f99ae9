"""Taking everything along."""

from django.urls import path

from marketplace.pages import archives

urlpatterns = [
    path("archives/", archives.archives, name="archives"),
    path("archives/<str:archive_id>/content.zip", archives.archive_zip, name="archive_zip"),
]
