"""Wires the parts together: settings, URLs, Celery, the local stores and the commands that start processes."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
