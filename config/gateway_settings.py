"""Settings of the DRF door: the gateway's own values, and nothing that a page or a database needs."""

from config import settings as project

SECRET_KEY = project.SECRET_KEY
DEBUG = False
ALLOWED_HOSTS = ["*"]  # no URL is ever built from Host; the path alone says which API is meant
ROOT_URLCONF = "gateway.proxy.urls"
INSTALLED_APPS: list[str] = []
MIDDLEWARE: list[str] = []  # no session, no cookie, no slash appended
DATABASES: dict[str, object] = {}
REST_FRAMEWORK = {"UNAUTHENTICATED_USER": None, "UNAUTHENTICATED_TOKEN": None}
USE_TZ = True
USE_I18N = False
GATEWAY = project.GATEWAY
