"""What other apps may import of the gateway."""

from gateway.call import UsageEvent
from gateway.directory_store import NotPublished, announce, directory_present, publish, publish_all
from gateway.journal_files import Beat, Bye, Line, boots, is_live, lines_after, read_line
from gateway.names import COMMITTED, SHIPPED, USAGE_GROUP, USAGE_STREAM
from gateway.records import (
    KINDS,
    Api,
    Grant,
    Key,
    Limit,
    Operation,
    Organization,
    Period,
    PlanVersion,
    Record,
    Standing,
    Subscription,
    Upstream,
    Version,
)
from gateway.settings import GatewaySettings
from gateway.store import connect

__all__ = [
    "COMMITTED",
    "KINDS",
    "SHIPPED",
    "USAGE_GROUP",
    "USAGE_STREAM",
    "Api",
    "Beat",
    "Bye",
    "GatewaySettings",
    "Grant",
    "Key",
    "Limit",
    "Line",
    "NotPublished",
    "Operation",
    "Organization",
    "Period",
    "PlanVersion",
    "Record",
    "Standing",
    "Subscription",
    "Upstream",
    "UsageEvent",
    "Version",
    "announce",
    "boots",
    "connect",
    "directory_present",
    "is_live",
    "lines_after",
    "publish",
    "publish_all",
    "read_line",
]
