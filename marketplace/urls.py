"""Every address of the site. Each name has its row in `marketplace.access`."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from marketplace import health
from marketplace.api.docs import Docs
from marketplace.api.webhooks import receive

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.live, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("api/v1/", include("marketplace.api.urls")),
    path("api/webhooks/<slug:rail>", receive, name="rail_webhook"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", Docs.as_view(), name="docs"),
    path("log/", include("marketplace.log")),
    path("accounts/", include("allauth.urls")),
    path("office/", admin.site.urls),
    path("", include("marketplace.pages.urls")),
]

handler400 = "marketplace.errors.bad_request"
handler403 = "marketplace.errors.forbidden"
handler404 = "marketplace.errors.not_found"
handler500 = "marketplace.errors.server_error"
