"""What other apps may import of the gateway."""

from gateway.call import UsageEvent
from gateway.directory import Directory
from gateway.directory_feed import load as load_directory
from gateway.directory_store import NotPublished, announce, directory_present, publish, publish_all
from gateway.journal_files import Beat, Bye, Line, boots, is_live, lines_after, read_line
from gateway.meters import LATE_PROBLEMS, Meter, meters_of
from gateway.names import COMMITTED, RUN, SHIPPED, USAGE_GROUP, USAGE_STREAM, organization_of
from gateway.rebuild import (
    Holding,
    Stored,
    dead_owners,
    forget_owner,
    holdings,
    in_force,
    open_organization,
    open_run,
    raise_counters,
    rebuild_counters,
    reclaim,
    waiting_organizations,
)
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
from gateway.run import RunReply, run
from gateway.settings import GatewaySettings
from gateway.store import connect

__all__ = [
    "COMMITTED",
    "KINDS",
    "LATE_PROBLEMS",
    "RUN",
    "SHIPPED",
    "USAGE_GROUP",
    "USAGE_STREAM",
    "Api",
    "Beat",
    "Bye",
    "Directory",
    "GatewaySettings",
    "Grant",
    "Holding",
    "Key",
    "Limit",
    "Line",
    "Meter",
    "NotPublished",
    "Operation",
    "Organization",
    "Period",
    "PlanVersion",
    "Record",
    "RunReply",
    "Standing",
    "Stored",
    "Subscription",
    "Upstream",
    "UsageEvent",
    "Version",
    "announce",
    "boots",
    "connect",
    "dead_owners",
    "directory_present",
    "forget_owner",
    "holdings",
    "in_force",
    "is_live",
    "lines_after",
    "load_directory",
    "meters_of",
    "open_organization",
    "open_run",
    "organization_of",
    "publish",
    "publish_all",
    "raise_counters",
    "read_line",
    "rebuild_counters",
    "reclaim",
    "run",
    "waiting_organizations",
]
