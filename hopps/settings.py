"""Settings, read from the environment. `HOPPS_ENV=development` gives defaults that need nothing installed.

A value that cannot be read ends the reading with a sentence. What can be read and must not serve, such as demo payments in
production, or a provider without its key, is said by the checks, all of it at once: hopps/checks.py, billing/checks.py,
sessions_app/checks.py.
"""

import os
import secrets
from email.utils import parseaddr
from pathlib import Path

import django_stubs_ext

from hopps import caches, databases, env, rates
from hopps.backups.sealing import development_key as development_backup_key
from hopps.browser_policy import content_security, permissions
from hopps.settings_sign_in import *  # noqa: F403
from hopps.vapid import development_key

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
# Everything the program writes on this machine: database, jobs, the development secret.
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var")))
# People's data is in it: for nobody else on this machine.
VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

DEVELOPMENT = env.is_development()
DEBUG = env.flag("DEBUG")
# Which release this is: the commit its image was built from.
RELEASE = env.text("HOPPS_RELEASE", "unreleased")


def _development_secret() -> str:
    """Return a secret kept beside the database, so that sign-ins survive a restart and no secret is in the repository."""
    path = VAR_DIR / "development-secret"
    if not path.exists():
        path.write_text(secrets.token_urlsafe(50))
        path.chmod(0o600)
    return path.read_text()


SECRET_KEY = env.secret("SECRET_KEY")
if not SECRET_KEY and DEVELOPMENT:
    SECRET_KEY = _development_secret()
# Those before it: what they signed or sealed (hopps.at_rest) is still good.
SECRET_KEY_FALLBACKS = env.secrets("SECRET_KEY_FALLBACKS")

# Where people reach this site: for addresses in mails, and where a bank or Stripe sends people back to.
PUBLIC_URL = env.text("PUBLIC_URL", f"http://127.0.0.1:{env.text('PORT', '8000')}" if DEVELOPMENT else "").rstrip("/")

ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]" if DEVELOPMENT else "")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",  # HouseRenderer finds the widgets' own templates here
    "channels",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.google",
    "allauth.socialaccount.providers.amazon_cognito",
    "allauth.socialaccount.providers.openid_connect",
    "hopps",
    "accounts",
    "billing",
    "sessions_app",
]

MIDDLEWARE = [
    "hopps.seen.NotedView",  # first to be told of the view: what the next ones refuse is counted under its name
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Of pages; files, and what is refused before Django, have theirs from hopps.headers.EveryAnswer.
    "django.middleware.security.SecurityMiddleware",
    "hopps.headers.ContentSecurity",
    "hopps.headers.Permissions",
    "hopps.headers.KeptByNobody",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.TimeZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "hopps.departures.Departures",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.sign_in.provider_pages.ProviderPages",
    "accounts.middleware.SignInMiddleware",
    "hopps.limiting.AnswerTooOften",
]

ROOT_URLCONF = "hopps.urls"
ASGI_APPLICATION = "hopps.asgi.application"

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
                "sessions_app.context.navigation",
            ],
        },
    },
]

# --- Where things are stored -----------------------------------------------------------------------------------------

DATABASES = {
    "default": databases.settings_of(
        env.secret("DATABASE_URL", f"sqlite:///{VAR_DIR / 'hopps.sqlite3'}"),
        connections=env.number("DATABASE_CONNECTIONS", 20, least=2),
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# What carries events between several server processes (hopps.realtime.hub), and their jobs; one process needs none.
REDIS_URL = env.secret("REDIS_URL")
# What allauth counts by. What all else is counted by: hopps.limits.
CACHES = caches.settings_of(REDIS_URL)
LIMITS = rates.LIMITS
# A web process that is to stop goes on for so long first, as not ready: until the proxy before it has noticed. Then its
# pages go to the other processes. 0: there is no other.
DRAIN_NOTICE_SECONDS = env.number("DRAIN_NOTICE_SECONDS", 2 if REDIS_URL else 0, least=0)

# --- Jobs (hopps.jobs) -----------------------------------------------------------------------------------------------

# Nobody asks what a job returned.
HUEY = {"name": "hopps", "immediate": False, "results": False} | (
    {"huey_class": "hopps.job_queue.RedisQueue", "url": REDIS_URL}
    if REDIS_URL
    else {"huey_class": "huey.SqliteHuey", "filename": str(VAR_DIR / "jobs.sqlite3")}
)
HUEY_WORKERS = env.number("JOB_WORKERS", 2)
# Without Redis the in-memory channel layer reaches this process only, so the jobs must run inside it (decision 0002).
JOBS_IN_WEB_PROCESS = env.flag("JOBS_IN_WEB_PROCESS", default=not REDIS_URL)

# --- People ----------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# How people sign in: hopps/settings_sign_in.py, the rest of this section.
# Of mails to operators.
EMAIL_SUBJECT_PREFIX = "[Hopps] "
EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.number("EMAIL_PORT", 587)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.secret("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=True)
EMAIL_BACKEND = env.text("EMAIL_BACKEND", f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend")
# A mail server that does not answer keeps a job waiting for so long, in seconds.
EMAIL_TIMEOUT = 10
EMAIL_FILE_PATH = env.text("EMAIL_FILE_PATH", str(VAR_DIR / "mail"))
# Who hears of reported problems.
MANAGERS = [("Operators", address) for address in env.words("OPERATORS_EMAIL", "operator@demo.test" if DEVELOPMENT else "")]
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Hopps <hello@hopps.test>")
# Who writes to operators: mail servers refuse root@localhost.
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- Texts and notifications ------------------------------------------------------------------------------------------

SMS = env.choice("SMS", ("console", "sns", "twilio"))
# What the phone shows as the sender, where the country allows it, and the most one text may cost (SNS).
SMS_SENDER_ID = env.text("SMS_SENDER_ID", "Hopps")
SMS_MAX_PRICE_USD = env.price("SMS_MAX_PRICE_USD", "0.20")
# Key, secret, region and, for tests, the address are read from where boto3 does (AWS_ACCESS_KEY_ID, AWS_REGION …).
if aws_secret := env.secret("AWS_SECRET_ACCESS_KEY"):
    os.environ["AWS_SECRET_ACCESS_KEY"] = aws_secret
TWILIO_ACCOUNT_SID = env.text("TWILIO_ACCOUNT_SID")
TWILIO_AUTH_TOKEN = env.secret("TWILIO_AUTH_TOKEN")
# A number of yours, or a messaging service (MG…).
TWILIO_FROM = env.text("TWILIO_FROM")
TWILIO_API_BASE = env.text("TWILIO_API_BASE", "https://api.twilio.com")

# Web push: the key that signs (`manage.py vapid` makes one), and whom a push service may write to about it.
VAPID_PRIVATE_KEY = env.secret("VAPID_PRIVATE_KEY") or (development_key(VAR_DIR) if DEVELOPMENT else "")
VAPID_SUBJECT = env.text("VAPID_SUBJECT", f"mailto:{parseaddr(DEFAULT_FROM_EMAIL)[1]}")

# --- Rules of the product (DESIGN §2, §3, §4) ----------------------------------------------------------------------------

REQUEST_EXPIRES_SECONDS = env.number("REQUEST_EXPIRES_SECONDS", 10 * 60)
EXPERT_JOIN_SECONDS = env.number("EXPERT_JOIN_SECONDS", 90)
ABSENCE_ENDS_SECONDS = env.number("ABSENCE_ENDS_SECONDS", 2 * 60)
LONGEST_SESSION_SECONDS = env.number("LONGEST_SESSION_SECONDS", 4 * 60 * 60)
CAP_MINUTES = (15, 30, 60)
FIT_WINDOW_SECONDS = env.number("FIT_WINDOW_SECONDS", 2 * 60)
PLATFORM_FEE_PERCENT = env.number("PLATFORM_FEE_PERCENT", 20, least=0, most=100)
# A problem can be reported for so long after a session; its earnings are paid out when that has passed.
REPORT_HOURS = env.number("REPORT_HOURS", 48, least=0, most=365 * 24)
# Less than this, in minor units, is not worth a transfer: it stays for the next week.
PAYOUT_MINIMUM = env.number("PAYOUT_MINIMUM", 100)
# So much of one payment operators of the group Support give back in all, in minor units; managers give back any amount.
SUPPORT_REFUND_LIMIT = env.number("SUPPORT_REFUND_LIMIT", 5000, least=0)
PAYMENTS = env.choice("PAYMENTS", ("demo", "stripe"))
STRIPE_SECRET_KEY = env.secret("STRIPE_SECRET_KEY")
# One for the account's own events and, where Stripe gives it another, one for those of connected accounts.
STRIPE_WEBHOOK_SECRETS = env.secrets("STRIPE_WEBHOOK_SECRETS")
STRIPE_API_BASE = env.text("STRIPE_API_BASE", "https://api.stripe.com")
# What receipts say: who sells, and the tax that prices include. No tax line without both a name and a rate.
RECEIPT_SELLER = env.text("RECEIPT_SELLER", "Hopps")
TAX_NAME = env.text("TAX_NAME")
TAX_BASIS_POINTS = env.basis_points("TAX_PERCENT")
# Reaching experts: messages go out in waves of so many people, so far apart; those with an open board have a head start.
WAVE_SIZE = env.number("WAVE_SIZE", 5, least=1)
WAVE_SPACING_SECONDS = env.number("WAVE_SPACING_SECONDS", 30, least=1)
BOARD_HEAD_START_SECONDS = env.number("BOARD_HEAD_START_SECONDS", 20, least=0)
# No expert is texted again sooner, whatever the request.
TEXT_COOLDOWN_SECONDS = env.number("TEXT_COOLDOWN_SECONDS", 5 * 60, least=0)
# Between two ways of telling one expert of one request.
WAYS_APART_SECONDS = env.number("WAYS_APART_SECONDS", 60, least=0)
# So long a request is for the expert alone whom the customer asked first.
FIRST_EXPERT_SECONDS = env.number("FIRST_EXPERT_SECONDS", 60, least=1)
# When a waiting customer is told plainly that nobody has answered, and asked what to do.
NOBODY_AFTER_SECONDS = env.number("NOBODY_AFTER_SECONDS", 3 * 60, least=1)
# How long a customer who left is told that somebody is there.
WATCH_HOURS = env.number("WATCH_HOURS", 24, least=1)
ROOM_GRANT_SECONDS = 60
# Somebody in a room is heard this often, and each server process writes it down as often: the bill rests on it.
PRESENCE_BEAT_SECONDS = 0.5
# Who was not heard for so long, on a line nobody reported lost, is gone: since they were last heard.
PRESENCE_SILENCE_SECONDS = 10
# The same for boards, where nobody is billed: how often it is written down, and how old that may be.
BOARD_BEAT_SECONDS = 5
PRESENCE_STALE_SECONDS = 20

# --- The room (DESIGN §5) ----------------------------------------------------------------------------------------------

# What carries new calls: the two browsers, or a Twilio Video room. Where Twilio is out of reach, the browsers all the same.
VIDEO = env.choice("VIDEO", ("peer", "twilio"))
VIDEO_FALLBACK = env.flag("VIDEO_FALLBACK", default=True)
# An API key of the Twilio account: it signs the tokens people enter its rooms with.
TWILIO_API_KEY_SID = env.text("TWILIO_API_KEY_SID")
TWILIO_API_KEY_SECRET = env.secret("TWILIO_API_KEY_SECRET")
TWILIO_VIDEO_BASE = env.text("TWILIO_VIDEO_BASE", "https://video.twilio.com")
# Where Twilio's SDK in the page goes: signalling, and what it tells of the call's quality. WebRTC's media is not asked for.
TWILIO_VIDEO_HOSTS = env.words("TWILIO_VIDEO_HOSTS", "wss://global.vss.twilio.com,wss://sdkgw.us1.twilio.com")
STUN_URLS = env.ice_urls("STUN_URLS", "stun")
# A relay for those whose networks let nothing else through, and the secret it shares with us to know our people by.
TURN_URLS = env.ice_urls("TURN_URLS", "turn")
TURN_SECRET = env.secret("TURN_SECRET")
# How long a relay's credential holds; the page asks for the next one before that.
TURN_SECONDS = env.number("TURN_SECONDS", 60 * 60, least=20)
# All calls go through the relay: neither side learns the other's address.
TURN_ONLY = env.flag("TURN_ONLY")

# --- Pages -----------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-us"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = ["hopps.formats"]
STATIC_URL = "static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "hopps.npm_files.NpmFilesFinder",
]
# What people put into chats: outside of everything that is served, and given out by a view alone.
UPLOAD_BYTES = 10 * 1024 * 1024
# A private bucket for it; without one it is on this machine. Key and region as with SNS.
UPLOADS_S3_BUCKET = env.text("UPLOADS_S3_BUCKET")
STORAGES = {
    "uploads": (
        {"BACKEND": "hopps.s3.S3Uploads", "OPTIONS": {"bucket_name": UPLOADS_S3_BUCKET}}
        if UPLOADS_S3_BUCKET
        else {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {
                "location": VAR_DIR / "uploads",
                "file_permissions_mode": 0o600,
                "directory_permissions_mode": 0o700,
            },
        }
    ),
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "hopps.storage.HashedStaticFiles"},
}
# Backups (hopps.backups): a folder, better of another disk, or s3://bucket/prefix; the key that seals and opens them.
BACKUP_TO = env.text("BACKUP_TO", str(VAR_DIR / "backups") if DEVELOPMENT else "")
BACKUP_KEY = env.secret("BACKUP_KEY") or (development_backup_key(VAR_DIR) if DEVELOPMENT else "")
# Where pg_dump and pg_restore are, when not on the PATH nor where Debian puts them.
POSTGRESQL_BIN = env.text("POSTGRESQL_BIN")
WHITENOISE_MAX_AGE = 60
# No other site's pages need our files.
WHITENOISE_ALLOW_ALL_ORIGINS = False
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
FORM_RENDERER = "hopps.forms.HouseRenderer"

# --- Security --------------------------------------------------------------------------------------------------------

COOKIE_PREFIX = ""
# What browsers may do with our pages (decision 0038); what single pages need on top: hopps.browser_policy.
CONTENT_SECURITY_POLICY = {"DIRECTIVES": content_security(public_url=PUBLIC_URL, https=not DEVELOPMENT)}
PERMISSIONS_POLICY = permissions()
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# Scripts read the token where forms have it.
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_HSTS_SECONDS = 0
if not DEVELOPMENT:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    # Browsers take a cookie of such a name from this very host by https alone: no neighbour's can stand in for it.
    COOKIE_PREFIX = "__Host-"
    SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}session"
    CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrf"
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=True)
    # For so long browsers come by https alone: to this host, those below it, and, as this says, from the first visit on
    # where the domain is entered in the browsers' own list.
    SECURE_HSTS_SECONDS = env.number("SECURE_HSTS_SECONDS", 365 * 24 * 60 * 60, least=0)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=True)
    SECURE_HSTS_PRELOAD = env.flag("SECURE_HSTS_PRELOAD", default=True)
# What a form may hold, besides its size (hopps.body_limit): files are sent one at a time.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 1

# --- Seeing it run ----------------------------------------------------------------------------------------------------

# Proxies and Prometheus ask from inside, by plain http.
SECURE_REDIRECT_EXEMPT = ["^healthz$", "^readyz$", "^metrics$"]
# Who has it may read /metrics. Without one nobody may in production.
METRICS_TOKEN = env.secret("METRICS_TOKEN")
# Where a job worker shows what it counts, on HOST; 0: nowhere.
WORKER_METRICS_PORT = env.number("WORKER_METRICS_PORT", 0, least=0, most=65535)
HOST = env.text("HOST", "127.0.0.1")
# Where errors are sent to, if anywhere, and what the place is called there.
SENTRY_DSN = env.secret("SENTRY_DSN")
SENTRY_ENVIRONMENT = env.text("SENTRY_ENVIRONMENT", "development" if DEVELOPMENT else "production")
# One line a request.
ACCESS_LOG = env.flag("ACCESS_LOG")
# Of what is ours; see LOGGING.
LOG_LEVEL = env.choice("LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL"))
# A machine reads the lines, or a person; while developing, also what is secret: the codes that texts carry are seen there.
LOG_FORMAT = env.choice("LOG_FORMAT", ("line", "json") if DEVELOPMENT else ("json", "line"))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"known": {"()": "hopps.logs.Known"}},
    "formatters": {
        "line": {
            "()": "logging.Formatter" if DEVELOPMENT else "hopps.logs.SafeLine",
            "format": "%(asctime)s %(levelname)s %(request)s %(name)s %(message)s",
        },
        "json": {"()": "hopps.logs.JsonLine"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["known"]},
    },
    # Others' loggers tell of requests and answers, with what is in them, as soon as they are let: never below a warning.
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        **{name: {"level": LOG_LEVEL} for name in ("hopps", "accounts", "billing", "sessions_app")},
        "django": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
    },
}
