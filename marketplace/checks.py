"""Refuses settings nobody should run with. Each refusal has a number, a fact and a cure."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from marketplace import policy_terms
from pacts.checks import CHECKS, CheckProvesNothing

SHORTEST_SECRET = 50
OLDEST_POSTGRESQL = 150000
_GUESSABLE = ("development-only-", "django-insecure-", "change-me", "secret")


def refuse_bad_settings() -> None:
    """Stop a web server that would start with settings refused here. Raises ImproperlyConfigured.

    Only management commands run the checks by themselves.
    """
    found = [check for check in run_checks(tags=[Tags.security]) if check.is_serious()]
    if found:
        raise ImproperlyConfigured("\n".join(f"{check.id}: {check.msg}" for check in found))


@register(Tags.security)
def production_is_strict(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """E001 to E007: what development allows and production must not have."""
    if settings.DEVELOPMENT:
        return []
    found: list[CheckMessage] = []
    for number, broken, fact, cure in _RULES:
        if broken():
            found.append(Error(fact, hint=cure, id=f"earnest.E{number:03}"))
    return found


def _secret_is_weak() -> bool:
    try:
        secret = settings.SECRET_KEY
    except ImproperlyConfigured:  # Django's own way to say that it is empty
        return True
    return len(secret) < SHORTEST_SECRET or len(set(secret)) < 10 or secret.startswith(_GUESSABLE)


def _hosts_are_open() -> bool:
    return not settings.ALLOWED_HOSTS or any(
        host.strip() in {"", "*"} or host.startswith(".") for host in settings.ALLOWED_HOSTS
    )


def _stripe_hears_nothing() -> bool:
    key = getattr(settings, "STRIPE_SECRET_KEY", "")
    return bool(key) and not getattr(settings, "STRIPE_WEBHOOK_SECRET", "")


_RULES: tuple[tuple[int, Callable[[], bool], str, str], ...] = (
    (
        1,
        lambda: settings.EGRESS_ALLOW_LOOPBACK,
        "Agents may live on loopback: whoever registers one reaches this machine's own services.",
        "Unset EARNEST_EGRESS_ALLOW_LOOPBACK.",
    ),
    (
        2,
        _secret_is_weak,
        "The secret key is missing, short or guessable; sessions and signing keys rest on it.",
        "Set EARNEST_SECRET_KEY to 50 random characters or more, and keep it: a new one cannot "
        "open the signing keys that the old one sealed.",
    ),
    (
        3,
        lambda: settings.DEBUG,
        "DEBUG shows strangers our source, settings and queries.",
        "Unset EARNEST_DEBUG.",
    ),
    (
        4,
        _hosts_are_open,
        "Any Host header is believed, so a stranger chooses where our links lead.",
        "Name the hosts in EARNEST_HOSTS, separated by commas, without * and leading dots.",
    ),
    (
        5,
        lambda: urlsplit(settings.PUBLIC_URL).scheme != "https",
        "The public address is not https: passwords, keys and money orders travel in clear.",
        "Set EARNEST_PUBLIC_URL to the https:// address people use.",
    ),
    (
        6,
        lambda: bool(getattr(settings, "STRIPE_API_BASE", "")),
        "Stripe's key would be sent to another address than Stripe's.",
        "Unset EARNEST_STRIPE_API_BASE: it is for a Stripe on loopback, in tests.",
    ),
    (
        7,
        _stripe_hears_nothing,
        "Stripe is set up without the secret of its webhooks, so all of them are refused.",
        "Set EARNEST_STRIPE_WEBHOOK_SECRET to the endpoint's signing secret, whsec_….",
    ),
)


@register(Tags.security)
def fees_can_be_set(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """E013: the installation's own fees lie within what the policy console could set."""
    bands = settings.PLATFORM_FEE_BANDS
    usual = policy_terms.installed(fee_bps=settings.PLATFORM_FEE_BPS, bands=bands)
    wrong = list(policy_terms.faults(policy_terms.valued({}, usual=usual)).values())
    if len(bands) > len(policy_terms.BANDS):
        wrong.append(f"{len(bands)} bands: there are at most {len(policy_terms.BANDS)}")
    if any(above <= 0 or above % 100 for above, _bps in bands):
        wrong.append("a band begins above a whole number of units: a multiple of 100 hundredths")
    return [
        Error(
            f"The fee cannot be set like this: {'; '.join(wrong)}.",
            hint="Set EARNEST_FEE_BPS and EARNEST_FEE_BANDS, such as 1000000:300,10000000:100.",
            id="earnest.E013",
        )
    ] * bool(wrong)


@register(Tags.security)
def mail_goes_somewhere(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """W001: the console is no mailbox."""
    if settings.DEVELOPMENT or "console" not in settings.EMAIL_BACKEND:
        return []
    return [
        Warning(
            "Mail goes to the console: nobody can confirm an address or reset a password.",
            hint="Set EARNEST_EMAIL_BACKEND, such as django.core.mail.backends.smtp.EmailBackend.",
            id="earnest.W001",
        )
    ]


@register(Tags.security)
def money_is_real(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """W002: the sandbox gives money away."""
    if settings.DEVELOPMENT or not settings.SANDBOX_RAIL:
        return []
    return [
        Warning(
            "The sandbox rail is on: anybody can deposit money that does not exist.",
            hint="Unset EARNEST_SANDBOX_RAIL unless this is a demonstration.",
            id="earnest.W002",
        )
    ]


@register(Tags.database)
def database_is_postgresql(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """E010 to E012: PostgreSQL 15 or newer that answers; where a command asks for databases."""
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor != "postgresql":
        return [
            Error(
                f"The database is {connection.vendor}; row locks, deferred constraints and "
                "triggers of PostgreSQL are what the ledger rests on.",
                hint="Set DATABASE_URL to a postgresql:// address.",
                id="earnest.E010",
            )
        ]
    try:
        version = connection.pg_version  # type: ignore[attr-defined]
    except DatabaseError as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return [
            Error(
                f"PostgreSQL does not answer: {reason}",
                hint="Start it, or correct DATABASE_URL.",
                id="earnest.E012",
            )
        ]
    if version >= OLDEST_POSTGRESQL:
        return []
    return [
        Error(
            f"PostgreSQL {version // 10_000} is too old: 15 brought constraints used here.",
            hint="Upgrade to PostgreSQL 15 or newer.",
            id="earnest.E011",
        )
    ]


@register(deploy=True)
def clauses_can_be_decided(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """E020: every kind of check tells right answers from wrong; with `check --deploy`, because a
    process otherwise proves the kinds it uses."""
    return [
        Error(
            f"A kind of check does not keep its own fixtures: {lie}",
            hint="Correct the kind, or the library it rests on; nothing it says counts until then.",
            id="earnest.E020",
        )
        for lie in map(_lie_of, CHECKS)
        if lie
    ]


def _lie_of(kind: str) -> str:
    try:
        CHECKS[kind]
    except CheckProvesNothing as lie:
        return str(lie)
    return ""
