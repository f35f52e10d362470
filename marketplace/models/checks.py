"""Constraints that several tables share: the database holds the closed sets."""

from django.db import models


def one_of(field: str, choices: type[models.TextChoices], *, name: str) -> models.CheckConstraint:
    """Refuse a value outside `choices`, whoever writes it."""
    return models.CheckConstraint(condition=models.Q(**{f"{field}__in": choices.values}), name=name)


def only_if(field: str, *, when: models.Q, name: str) -> models.CheckConstraint:
    """`field` is set exactly when `when` holds."""
    absent = models.Q(**{f"{field}__isnull": True})
    return models.CheckConstraint(condition=(when & ~absent) | (~when & absent), name=name)
