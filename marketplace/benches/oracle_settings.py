"""The product's settings, with one more address: a constant to hold the oracle against."""

from marketplace.settings import *  # noqa: F403

ROOT_URLCONF = "marketplace.benches.oracle_urls"
SILENCED_SYSTEM_CHECKS = ["auth.W004", "urls.W005"]
