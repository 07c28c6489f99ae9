"""Every address of the site. Each name has its row in `marketplace.access`."""

from allauth.account.views import password_reset_from_key
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
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
    # allauth's own pattern knows no underscore, which every id of ours has.
    re_path(
        r"^accounts/password/reset/key/(?P<uidb36>usr_[0-9a-f]{32})-(?P<key>.+)/$",
        password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("accounts/", include("allauth.urls")),
    path("office/", admin.site.urls),
    path("", include("marketplace.pages.urls")),
]

handler400 = "marketplace.errors.bad_request"
handler403 = "marketplace.errors.forbidden"
handler404 = "marketplace.errors.not_found"
handler429 = "marketplace.errors.too_many"  # allauth's own, for whoever tries too often
handler500 = "marketplace.errors.server_error"
