"""What settlement tests share: agents on loopback, and the cast's hires."""

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _loopback_agents(settings: Any) -> None:
    settings.EGRESS_ALLOW_LOOPBACK = True


@pytest.fixture(autouse=True)
def _cheap_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
