"""The API's own pages: Swagger UI from files we serve, under the same policy as every page."""

from typing import Any

from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.renderers import TemplateHTMLRenderer


class Docs(SpectacularSwaggerSplitView):
    """The description to read and to try; its script comes from this address too, never inline."""

    authentication_classes: Any = []
    permission_classes: Any = [AllowAny]
    renderer_classes: Any = [TemplateHTMLRenderer]
    template_name = "api/docs.html"
