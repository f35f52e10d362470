"""Stores of one's own, given by DATABASE_URL and REDIS_URL: are they what Tollgate needs?"""

from collections.abc import Mapping

import psycopg
import redis

from config.local.errors import StartError, StoreError
from config.local.home import SECRETS

OLDEST_POSTGRES = 15
OLDEST_REDIS = 7


def check_own_secrets(environment: Mapping[str, str]) -> None:
    """Stores of one's own outlive this home, so the secrets that open their rows must be one's own too."""
    given = [name for name in ("DATABASE_URL", "REDIS_URL") if environment.get(name)]
    missing = [name for name in reversed(SECRETS) if not (environment.get(name) or environment.get(f"{name}_FILE"))]
    if given and missing:
        raise StartError(
            f"own {given[0]} is given, but no {', '.join(missing)}: set your own (e.g. from `openssl rand -base64 40`) "
            "and keep them as safe as the database."
        )


def check_database(url: str) -> None:
    """Raises StoreError unless a PostgreSQL that is new enough answers at `url`."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            version = connection.info.server_version // 10_000
    except (psycopg.Error, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise StoreError(f"DATABASE_URL does not lead to a PostgreSQL that answers: {reason}.") from None
    if version < OLDEST_POSTGRES:
        raise StoreError(
            f"DATABASE_URL leads to PostgreSQL {version}, and {OLDEST_POSTGRES} is the oldest that will do."
        )


def check_redis(url: str) -> None:
    """Raises StoreError unless a Redis that is new enough, or a Valkey, answers at `url`."""
    try:
        with redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as client:
            about = client.info("server")
            policy = client.info("memory").get("maxmemory_policy", "noeviction")
    except (redis.RedisError, ValueError) as error:
        raise StoreError(f"REDIS_URL does not lead to a Redis or Valkey that answers: {error}.") from None
    version = str(about.get("redis_version", "0"))  # Valkey states the Redis version it is compatible with
    if int(version.split(".")[0]) < OLDEST_REDIS and about.get("server_name") != "valkey":
        raise StoreError(f"REDIS_URL leads to Redis {version}, and {OLDEST_REDIS} is the oldest that will do.")
    if policy != "noeviction":
        raise StoreError(
            f"REDIS_URL leads to a server that may evict usage (maxmemory-policy {policy}): set noeviction."
        )
