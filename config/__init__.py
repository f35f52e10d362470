"""Wires the parts together: settings, URLs, Celery, the local stores and the commands that start processes."""
