"""All settings, for every process. The environment is the only difference between machines; bad values fail at start.

While `manage.py up` runs, what it started under TOLLGATE_HOME (stores, URLs) fills in what the environment leaves
open, from `{home}/stores.json`; secrets come from `{home}/secrets.json` (both 0600).
"""

import json
import os
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from gateway.settings import GatewaySettings

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
if (BASE_DIR / ".env").exists():
    env.read_env(BASE_DIR / ".env")

HOME = Path(env.str("TOLLGATE_HOME", default=str(BASE_DIR / ".tollgate"))).expanduser().resolve()


def _home_file(name: str) -> dict[str, str]:
    try:
        return json.loads((HOME / name).read_text())
    except FileNotFoundError:
        return {}


_secrets = _home_file("secrets.json")
for _name, _value in _home_file("stores.json").items():
    os.environ.setdefault(_name, _value)


def secret(name: str) -> str:
    """Read a secret from NAME, NAME_FILE or the home; refuse to start without it."""
    if path := env.str(f"{name}_FILE", default=""):
        return Path(path).read_text().strip()
    value = env.str(name, default=_secrets.get(name, ""))
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set: set it (or {name}_FILE), or run `manage.py up` once to create it."
        )
    return value


# --- core ---
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = secret("SECRET_KEY")
ENCRYPTION_KEY = secret("TOLLGATE_ENCRYPTION_KEY")  # field encryption and derived test keys
KEY_PEPPERS = secret("TOLLGATE_KEY_PEPPERS").split(",")  # oldest first; more than one while rotating
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
PORTAL_URL = env.str("TOLLGATE_PORTAL_URL", default="http://127.0.0.1:8000").rstrip("/")
GATEWAY_URL = env.str("TOLLGATE_GATEWAY_URL", default="http://127.0.0.1:8080").rstrip("/")
HTTPS = PORTAL_URL.startswith("https://")
DEMO_URL = env.str("TOLLGATE_DEMO_URL", default="")  # World's upstream, where the demo is
ECHO_URL = env.str("TOLLGATE_ECHO_URL", default="")
DEMO = bool(DEMO_URL)
PAYMENTS = env.str("PAYMENTS", default="sandbox" if DEMO else "manual")
if PAYMENTS not in {"sandbox", "stripe", "manual"}:
    raise ImproperlyConfigured(f"PAYMENTS is {PAYMENTS!r}: choose sandbox, stripe or manual.")

# --- stores ---
DATABASE_URL = env.str("DATABASE_URL", default="")
REDIS_URL = env.str("REDIS_URL", default="")
if not DATABASE_URL or not REDIS_URL:
    raise ImproperlyConfigured("No stores: set DATABASE_URL and REDIS_URL, or start `manage.py up` first.")
_database = env.db_url_config(DATABASE_URL)
_options = _database.pop("OPTIONS", {})
DATABASES = {
    "default": {
        **_database,
        "HOST": _options.pop("host", _database["HOST"]),  # a Unix socket's folder stands in the query
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"options": "-c statement_timeout=30000 -c lock_timeout=10000", **_options},
    }
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "tg:cache",
    }
}

# --- the gateway's own frozen settings, the same that the edge will read from the environment ---
GATEWAY = GatewaySettings(
    redis_url=REDIS_URL,
    stream_url=env.str("REDIS_STREAM_URL", default="") or REDIS_URL,
    journal_dir=HOME / "journal",
    peppers=tuple(KEY_PEPPERS),
    encryption_key=ENCRYPTION_KEY,
    portal_url=PORTAL_URL,
    public_url=GATEWAY_URL,
    upstream_allow=frozenset(env.list("TOLLGATE_UPSTREAM_ALLOW", default=[])),
    trusted_proxies=tuple(env.list("TOLLGATE_TRUSTED_PROXIES", default=[])),
    stale_max_s=env.int("TOLLGATE_STALE_MAX", default=900),
    name=env.str("TOLLGATE_GATEWAY_NAME", default="local"),
)

# --- applications ---
INSTALLED_APPS = [
    "config.apps.WiringConfig",
    "portal",
    "demo",
    "marketplace",
    "usage",
    "accounts",
    "kit.django",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "csp",
]
MIDDLEWARE = [
    "kit.django.rest.RequestIds",
    "kit.django.rest.JsonProblems",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.site.middleware.PortalExceptions",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.site",
            ],
        },
    }
]

# --- people ---
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/app/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "portal.account.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_CHANGE_EMAIL = True  # one address; another takes its place once it is verified
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_PREVENT_ENUMERATION = True
# Only what must know whether the password was right; the rest is django-ratelimit's (portal/limits.py).
_COUNTED_BY_US = ("signup", "login", "reset_password", "reset_password_from_key", "change_password", "manage_email")
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/300s/key", **dict.fromkeys(_COUNTED_BY_US)}
ACCOUNT_SESSION_REMEMBER = True
MFA_ADAPTER = "portal.account.mfa.MfaAdapter"
MFA_TOTP_ISSUER = "Tollgate"

# --- mail ---
EMAIL_URL = env.str("EMAIL_URL", default="")
if EMAIL_URL:
    vars().update(env.email_url_config(EMAIL_URL))
else:
    EMAIL_BACKEND = "config.mail.FolderBackend"
    EMAIL_FILE_PATH = HOME / "mail"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Tollgate <no-reply@localhost>")

# --- operators' pages ---
ADMIN_MFA = env.bool("TOLLGATE_ADMIN_MFA", default=not DEMO)  # staff need a second factor to get in
UNFOLD = {
    "SITE_TITLE": "Tollgate operations",
    "SITE_HEADER": "Tollgate",
    "SITE_SUBHEADER": "Operations",
    "SITE_SYMBOL": "toll",
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "SHOW_BACK_BUTTON": True,
    "SIDEBAR": {"show_search": True, "show_all_applications": True},
}
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # e-mail is unique by its lower case, which the check cannot see

# --- REST ---
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.rest.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.rest.permissions.HasToken"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["kit.django.rest.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "kit.django.rest.AlwaysJson",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "kit.django.rest.KeysetPagination",
    "PAGE_SIZE": 25,
    "EXCEPTION_HANDLER": "kit.django.rest.problem_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tollgate management API",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,  # a request has no read-only fields, and its texts are not empty
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "kit.django.rest.tell_the_rest"],
}

# --- work ---
CELERY_BROKER_URL = REDIS_URL
OUTBOX_HANDLERS = {"directory": "marketplace.publish.publish_entry"}

# --- limits on the portal's own forms (django-ratelimit) ---
RATELIMIT_ENABLE = env.bool("TOLLGATE_RATELIMIT", default=True)
RATELIMIT_VIEW = "portal.site.views.too_many"

# --- web ---
SECURITY_CONTACT = env.str("TOLLGATE_SECURITY_CONTACT", default="mailto:security@localhost")  # of security.txt
STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.static.HashedStorage"},
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("TOLLGATE_BEHIND_TLS", default=HTTPS) else None
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-tg_session" if HTTPS else "tg_session"
CSRF_COOKIE_NAME = "__Host-tg_csrf" if HTTPS else "tg_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "portal.site.views.csrf_failure"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ["/admin/"],
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    },
}
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
