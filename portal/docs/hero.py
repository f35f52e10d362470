"""The request that stands on top of a page, ready to run."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.safestring import SafeString

from marketplace import public as marketplace
from portal.docs.declared import example_reply
from portal.docs.form import example_values
from portal.docs.highlight import highlighted
from portal.docs.outgoing import Outgoing, compose
from portal.docs.pick import first_to_try, newest


@dataclass(frozen=True)
class Hero:
    operation: marketplace.OperationView
    request: Outgoing
    gateway: str
    values: tuple[tuple[str, str], ...]  # hidden fields of its Run form
    url: str  # of the operation's page
    example: SafeString  # what a reply looks like


def hero_of(api: marketplace.ApiView, operations: Sequence[marketplace.OperationView] | None = None) -> Hero | None:
    """The first request to try of an API; None while it has no operation."""
    known = marketplace.operations(api.id) if operations is None else operations
    operation = first_to_try(newest(known))
    if operation is None:
        return None
    values = example_values(operation)
    return Hero(
        operation,
        compose(operation, values),
        settings.GATEWAY_URL,
        tuple(values.items()),
        reverse("operation", args=[api.slug, operation.operation_id]),
        highlighted(example_reply(operation), "json"),
    )
