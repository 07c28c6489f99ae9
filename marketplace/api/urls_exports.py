"""Taking everything along."""

from marketplace.api import archives
from marketplace.api.addresses import path

urlpatterns = [
    path("archives", archives.Archives.as_view(), name="archives"),
    path("archives/<id:id>", archives.OneArchive.as_view(), name="archive"),
    path("archives/<id:id>/content", archives.ArchiveContent.as_view(), name="archive-content"),
]
