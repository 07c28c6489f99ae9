"""The product's settings, with one more address: an empty page to hold the others against."""

from marketplace.settings import *  # noqa: F403

ROOT_URLCONF = "marketplace.benches.pages_urls"
SILENCED_SYSTEM_CHECKS = ["auth.W004", "urls.W005"]
