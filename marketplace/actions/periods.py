"""Owns: that the gateway knows each subscription's current period and the next three.
Does not own: where a period begins (`marketplace.periods`), nor what it costs.
Idempotent: a subscription already in its current period is not due; a late one catches up in one step."""

from datetime import datetime

from django.db import transaction

from marketplace.actions.telling import tell
from marketplace.models import Subscription, SubscriptionState
from marketplace.periods import period_at

BATCH = 200


def extend_due(*, at: datetime) -> int:
    """Move up to a batch of subscriptions to the period that holds `at`; answer how many moved."""
    due = Subscription.objects.filter(period_end_at__lte=at).exclude(state=SubscriptionState.CANCELLED)
    due = due.exclude(change_at__lte=at)  # it ends or changes there: no period of this kind follows
    with transaction.atomic():
        rows = due.select_related("plan_version").select_for_update(of=("self",), skip_locked=True)
        moved = list(rows.order_by("period_end_at")[:BATCH])
        for row in moved:
            current = period_at(row.chain, at)
            row.period_start_at, row.period_end_at = current.start_at, current.end_at
            row.save(update_fields=["period_start_at", "period_end_at"])
            tell(row, may_wait=True)
    return len(moved)
