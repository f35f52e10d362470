"""The gateway's settings: one frozen value, given in by the process that starts it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class GatewaySettings:
    redis_url: str  # counters and directory
    stream_url: str  # usage stream; may be another server
    journal_dir: Path
    peppers: tuple[str, ...]  # oldest first
    encryption_key: str
    portal_url: str  # problem pages and fix_url live there
    public_url: str  # how consumers reach the gateway
    upstream_allow: frozenset[str] = frozenset()  # exact "host:port" that may be loopback or private
    trusted_proxies: tuple[str, ...] = ()  # CIDRs whose X-Forwarded-For counts
    stale_max_s: int = 900  # how long known grants serve without Redis
    name: str = "local"  # this gateway in usage events and Via
    redis_timeout_s: float = 0.25
    journal_cap_bytes: int = 1 << 30
    stream_cap_bytes: int = 64 << 20
    fdatasync_s: float = 0.2
    heartbeat_s: float = 5.0
