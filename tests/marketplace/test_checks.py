"""Bad settings are refused by number, with what to do about it."""

from dataclasses import replace
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from marketplace import checks
from pacts.checks import CHECKS, table

GOOD: dict[str, Any] = {
    "DEVELOPMENT": False,
    "DEBUG": False,
    "EGRESS_ALLOW_LOOPBACK": False,
    "SECRET_KEY": "kX2v-9sQ_w7Zt4Lr8Nf1Hy6Jd3Bp5Mc0Ga-Ue_Ri2To4Vs6Wx8",
    "ALLOWED_HOSTS": ["earnest.example"],
    "PUBLIC_URL": "https://earnest.example",
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "SANDBOX_RAIL": False,
}
BAD = [
    ("E001", {"EGRESS_ALLOW_LOOPBACK": True}),
    ("E002", {"SECRET_KEY": "short"}),
    ("E002", {"SECRET_KEY": "x" * 80}),
    ("E002", {"SECRET_KEY": "development-only-" + GOOD["SECRET_KEY"]}),
    ("E003", {"DEBUG": True}),
    ("E004", {"ALLOWED_HOSTS": ["*"]}),
    ("E004", {"ALLOWED_HOSTS": [".example"]}),
    ("E004", {"ALLOWED_HOSTS": []}),
    ("E005", {"PUBLIC_URL": "http://earnest.example"}),
    ("E006", {"STRIPE_API_BASE": "http://127.0.0.1:8420"}),
    ("E007", {"STRIPE_SECRET_KEY": "sk_live_x", "STRIPE_WEBHOOK_SECRET": ""}),
    ("W001", {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}),
    ("W002", {"SANDBOX_RAIL": True}),
]


def found(settings: Any, **changes: Any) -> set[str]:
    for name, value in {**GOOD, **changes}.items():
        setattr(settings, name, value)
    every = run_checks(tags=["security"])
    assert all(check.hint for check in every)
    return {str(check.id) for check in every if str(check.id).startswith("earnest.")}


def test_good_settings_pass(settings: Any) -> None:
    assert found(settings) == set()


@pytest.mark.parametrize(("number", "changes"), BAD)
def test_a_bad_setting_is_refused_in_production_and_allowed_in_development(
    settings: Any, number: str, changes: dict[str, Any]
) -> None:
    assert found(settings, **changes) == {f"earnest.{number}"}
    assert found(settings, **changes, DEVELOPMENT=True) == set()


def test_a_missing_secret_is_refused_like_a_weak_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing:
        DEVELOPMENT = DEBUG = EGRESS_ALLOW_LOOPBACK = False
        ALLOWED_HOSTS = ("earnest.example",)
        PUBLIC_URL = "https://earnest.example"

        @property
        def SECRET_KEY(self) -> str:
            raise ImproperlyConfigured("The SECRET_KEY setting must not be empty.")

    monkeypatch.setattr(checks, "settings", Missing())
    (refusal,) = checks.production_is_strict(None)
    assert refusal.id == "earnest.E002"


def test_a_web_server_does_not_start_with_bad_settings(settings: Any) -> None:
    found(settings, EGRESS_ALLOW_LOOPBACK=True)
    with pytest.raises(ImproperlyConfigured, match=r"earnest\.E001"):
        checks.refuse_bad_settings()


@pytest.mark.django_db
def test_a_postgresql_before_15_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = connections["default"]
    assert checks.database_is_postgresql(None, databases=["default"]) == []
    monkeypatch.setattr(connection, "pg_version", 140013)
    (refusal,) = checks.database_is_postgresql(None, databases=["default"])
    assert (refusal.id, "14 is too old" in refusal.msg) == ("earnest.E011", True)


@pytest.mark.django_db
def test_another_database_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(connections["default"]), "vendor", "sqlite")
    (refusal,) = checks.database_is_postgresql(None, databases=["default"])
    assert refusal.id == "earnest.E010"


def test_a_check_that_does_not_keep_its_fixtures_is_told_before_a_deployment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def told() -> list[str]:
        every = run_checks(include_deployment_checks=True)
        return [str(check.msg) for check in every if check.id == "earnest.E020"]

    assert told() == []
    lying = replace(CHECKS["length"], bad=CHECKS["length"].good, neighbours={})
    monkeypatch.setattr(checks, "CHECKS", table([lying]))
    assert len(told()) == 1
    assert "length" in told()[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"PLATFORM_FEE_BPS": 3_001},
        {"PLATFORM_FEE_BANDS": [(1_000_000, 300), (100_000, 100)]},
        {"PLATFORM_FEE_BANDS": [(1_000_000, 900)]},
        {"PLATFORM_FEE_BANDS": [(1_000_050, 300)]},
        {"PLATFORM_FEE_BANDS": [(n * 100_000, 100) for n in range(1, 5)]},
    ],
)
def test_fees_the_console_could_not_set_are_refused_everywhere(
    settings: Any, changes: dict[str, Any]
) -> None:
    assert found(settings, **changes) == {"earnest.E013"}
    assert found(settings, PLATFORM_FEE_BPS=500, PLATFORM_FEE_BANDS=[(1_000_000, 300)]) == set()
