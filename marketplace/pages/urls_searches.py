"""Pages of the searches that people keep."""

from django.urls import path

from marketplace.pages import searches

urlpatterns = [
    path("searches/", searches.searches, name="searches"),
    path("searches/new/", searches.search_new, name="search_new"),
    path("searches/<str:search_id>/", searches.search, name="search"),
    path("searches/<str:search_id>/name/", searches.search_name, name="search_name"),
    path("searches/<str:search_id>/end/", searches.search_end, name="search_end"),
]
