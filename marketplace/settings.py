"""Settings, one file, read from the environment. `marketplace/checks.py` refuses bad ones."""

import json
import os
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent


def text(name: str, default: str = "") -> str:
    """The environment variable `EARNEST_<name>`, or the default."""
    return os.environ.get(f"EARNEST_{name}", default)


def number(name: str, default: int) -> int:
    """The same as a whole number."""
    return int(text(name, str(default)))


def flag(name: str, default: bool = False) -> bool:
    """The same as on/off: `1`, `true`, `yes` and `on` mean on."""
    return text(name, "on" if default else "off").lower() in {"1", "true", "yes", "on"}


def database(url: str) -> dict[str, object]:
    """A Django database entry from a `postgresql://` URL; `?host=` names a socket folder."""
    parts = urlsplit(url)
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or query.pop("port", "")),
        "CONN_MAX_AGE": 0 if WEB_POOL else 600,
        "CONN_HEALTH_CHECKS": not WEB_POOL,
        "OPTIONS": {
            "connect_timeout": 5,
            # The ledger binds on the server and keeps its plans; no other cursor prepares.
            "prepare_threshold": 5,
            "application_name": text("PROCESS", "earnest"),
            **({"pool": POOL} if WEB_POOL else {}),
            **query,
        },
    }


# --- where and how it runs -------------------------------------------------------------------
DEVELOPMENT = flag("DEVELOPMENT")
DEBUG = flag("DEBUG")
SECRET_KEY = text("SECRET_KEY") or ("development-only-" + "0" * 40 if DEVELOPMENT else "")
ALLOWED_HOSTS = text("HOSTS", "localhost,127.0.0.1,[::1]").split(",")
PUBLIC_URL = text("PUBLIC_URL", "http://127.0.0.1:8000")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
# psycopg's own pool serves the threads of one web process; workers fork: plain connections there.
WEB_POOL = number("WEB_POOL", 0)
# The pool waits twice as long after each failure: giving up early, it is back with its database.
POOL = {"min_size": 1, "max_size": WEB_POOL, "timeout": 5, "reconnect_timeout": 2}
DATABASES = {
    "default": database(os.environ.get("DATABASE_URL", "postgresql:///earnest")),
}
REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
DATA = Path(text("DATA", str(ROOT / ".data")))

# --- the outside ------------------------------------------------------------------------------
# Agents on loopback are for development alone; a system check refuses this in production.
EGRESS_ALLOW_LOOPBACK = flag("EGRESS_ALLOW_LOOPBACK")
EGRESS_DEADLINE_SECONDS = number("EGRESS_DEADLINE_SECONDS", 20)
# Who lets models judge, OpenAI-compatible: JSON of name → {address, key, input_price,
# output_price}; prices are millionths of the currency per million tokens.
JUDGE_PROVIDERS = json.loads(text("JUDGE_PROVIDERS", "{}"))
EMAIL_BACKEND = text("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
DEFAULT_FROM_EMAIL = text("FROM_EMAIL", "Earnest <no-reply@earnest.example>")

# --- the log. Its origin names it in every checkpoint and is kept from the first one on ----------
LOG_ORIGIN = text("LOG_ORIGIN", PUBLIC_URL.partition("://")[2].rstrip("/") + "/log")
# Who cosigns its heads: `<vkey> <submission prefix>`, several separated by commas.
LOG_WITNESSES = [entry.split() for entry in text("LOG_WITNESSES").split(",") if entry.strip()]

# --- rails: money from outside. Without a key, Stripe is not offered -----------------------------
# Play money: for development, or for a demonstration that says so.
SANDBOX_RAIL = flag("SANDBOX_RAIL", DEVELOPMENT)
STRIPE_SECRET_KEY = text("STRIPE_SECRET_KEY")
STRIPE_WEBHOOK_SECRET = text("STRIPE_WEBHOOK_SECRET")
STRIPE_API_BASE = text("STRIPE_API_BASE")  # empty: Stripe's own address

# --- the platform's own rules -----------------------------------------------------------------
PLATFORM_FEE_BPS = number("FEE_BPS", 500)
# Lower rates further up, such as `1000000:300,10000000:100`: above hundredths, basis points.
PLATFORM_FEE_BANDS = [
    (int(above), int(bps))
    for above, bps in (band.split(":") for band in text("FEE_BANDS").split(",") if band)
]
SWEEP_SECONDS = number("SWEEP_SECONDS", 2)

# --- Django -----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "django_cotton",
    "django.contrib.postgres",  # full text and trigrams
    "pgtrigger",
    "reputation",
    "pacts",
    "settlement",
    "marketplace",
]
MIDDLEWARE = [
    "marketplace.middleware.RequestIdMiddleware",
    "marketplace.middleware.SecurityPolicyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "marketplace.middleware.TextCompressionMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "marketplace.speech.LanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "marketplace.middleware.AccessMiddleware",
]
ROOT_URLCONF = "marketplace.urls"
WSGI_APPLICATION = "marketplace.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "marketplace/templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": [  # every page has texts
                "django.templatetags.i18n",
                "marketplace.templatetags.texts",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]
AUTH_USER_MODEL = "pacts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
LOGIN_REDIRECT_URL = "/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]  # catalogues: marketplace/locale
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 86_400
LANGUAGE_COOKIE_HTTPONLY = True
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if DEVELOPMENT:
    STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
# The e-mail address is unique whatever its case: by a constraint, which auth.W004 cannot see.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]

# --- security headers and cookies: strict where people reach us by https -------------------------
HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if flag("BEHIND_PROXY") else None
SECURE_SSL_REDIRECT = HTTPS and flag("BEHIND_PROXY")
SECURE_HSTS_SECONDS = 365 * 86_400 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "marketplace.errors.form_expired"
DATA_UPLOAD_MAX_MEMORY_SIZE = 12_000_000  # a task set on a form; the API has limits of its own

# --- the API --------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "marketplace.api.authentication.KeyAuthentication",
        "marketplace.api.authentication.BrowserAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["marketplace.api.permissions.ByTable"],
    "DEFAULT_PARSER_CLASSES": ["marketplace.api.parsers.StrictJsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "marketplace.api.schema.Schema",
    "EXCEPTION_HANDLER": "marketplace.api.errors.respond",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Earnest",
    "VERSION": "1",
    "DESCRIPTION": "Hire AI agents; payment follows proof. Everything the pages do, a key can do.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "ENUM_NAME_OVERRIDES": {
        "ListingState": "marketplace.models.Listing.State",
        "EvaluationState": "pacts.models.Evaluation.State",
        "TrialState": "pacts.models.Trial.State",
        "EngagementState": "pacts.models.Engagement.State",
        "DisputeState": "pacts.models.Dispute.State",
        "EscrowState": "settlement.models.Escrow.State",
        "DepositState": "settlement.models.Deposit.State",
        "PayoutState": "settlement.models.Payout.State",
        "DeliveryState": "marketplace.models.Delivery.State",
        "IncidentOutcome": "marketplace.models.Incident.Outcome",
        "ReplayState": "marketplace.models.Replay.State",
        "ShadowState": "marketplace.models.Shadow.State",
        "ShadowPairState": "marketplace.models.ShadowPair.State",
        "ShadowOutcome": "marketplace.models.Shadow.Outcome",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "marketplace.api.schema.add_problems",
    ],
}
UNFOLD = {
    "SITE_TITLE": "Earnest back office",
    "SITE_HEADER": "Earnest back office",
    "SITE_URL": "/",
    "SHOW_VIEW_ON_SITE": False,
}

# --- Celery: a message is a hint, the row is the truth (PLATFORM: "Celery is a hint") ------------
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://").replace(
    "?db=", "?virtual_host="
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 120,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
    # A broker that vanished without a word is noticed, not waited for.
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
}
CELERY_TASK_TIME_LIMIT = 60
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TIMEZONE = "UTC"
