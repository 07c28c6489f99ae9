"""The language of a person."""

from marketplace.api import languages
from marketplace.api.addresses import path

urlpatterns = [path("language", languages.Language.as_view(), name="language")]
