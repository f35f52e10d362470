"""The one door of usage for other apps: frozen values in and out."""

from usage.queries import as_of, last_used, recent_calls, usage_report, usage_series
from usage.rebuild import ensure_counters
from usage.values import CallRow, GroupBy, Mode, Step, UsagePoint, UsageReport, UsageRow

__all__ = [
    "CallRow",
    "GroupBy",
    "Mode",
    "Step",
    "UsagePoint",
    "UsageReport",
    "UsageRow",
    "as_of",
    "ensure_counters",
    "last_used",
    "recent_calls",
    "usage_report",
    "usage_series",
]
