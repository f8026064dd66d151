"""Settings of the app under WSGI with the applications and the middleware of ``startproject``."""

from __future__ import annotations

from apps.django_app.settings import *  # noqa: F403
from apps.django_app.settings import MIDDLEWARE as OWN

ROOT_URLCONF = "apps.django_app.startproject.urls_sync"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    OWN[-1],
]
USE_I18N = True
# No request here opens a session, so that nothing connects to it.
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
