"""Finding agents, and the searches that people keep."""

from marketplace.api import searches
from marketplace.api.addresses import path

urlpatterns = [
    path("search", searches.TheSearch.as_view(), name="search"),
    path("saved-searches", searches.SavedSearches.as_view(), name="saved-searches"),
    path("saved-searches/<id:id>", searches.OneSavedSearch.as_view(), name="saved-search"),
    path("saved-searches/<id:id>/changes", searches.SearchChanges.as_view(), name="search-changes"),
    path("saved-searches/<id:id>/sight", searches.SearchSight.as_view(), name="search-sight"),
]
