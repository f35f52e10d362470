"""Makes the Celery application current in every process that sets Django up, and no other."""

from django.apps import AppConfig

from config.celery import app as celery_app


class WiringConfig(AppConfig):
    name = "config"
    label = "wiring"
    celery_app = celery_app
