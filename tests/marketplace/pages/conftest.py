"""What page tests share: cheap passwords, and browsers that are signed in."""

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _cheap_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _plain_static_files(settings: Any) -> None:
    """Pages name their files without the manifest that only `collectstatic` writes."""
    storages = dict(settings.STORAGES)
    backend = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = storages | {"staticfiles": {"BACKEND": backend}}
