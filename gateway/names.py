"""Every Redis name that the directory and the usage stream share with other processes."""

DIRECTORY_EPOCH = "tg:dir:epoch"  # which full publish this server holds; written last, absent on an empty server
DIRECTORY_LOG = "tg:dir:log"  # stream of changes {n, kind, id, record}; an entry's id is the directory's version
DIRECTORY_VERSION = "tg:dir:version"  # id of the log's last entry; rides in every counter pipeline
DIRECTORY_COUNT = "tg:dir:count"  # entries ever written to the log; `n` of the last one
DIRECTORY_REV = "tg:dir:rev"  # hash "<kind>:<id>" → rev
DIRECTORY_DIGEST = "tg:dir:digest"  # hash key digest → key id

USAGE_STREAM = "tg:usage"  # stream {boot, file, offset, first_seq, last_seq, lines} or {…, lines: "", dead: "1"}
USAGE_GROUP = "aggregator"
SHIPPED = "tg:shipped"  # hash boot → "<file>:<offset>:<last seq>[:end]": how far its journal is in the stream
COMMITTED = "tg:committed"  # hash boot → last seq whose event, and all before it, PostgreSQL holds


def records_of(kind: str) -> str:
    """Name the hash id → JSON of one kind of record."""
    return f"tg:dir:{kind}"
