"""Every Redis name that the directory and the usage stream share with other processes."""

DIRECTORY_EPOCH = "tg:dir:epoch"  # which full publish this server holds; written last, absent on an empty server
DIRECTORY_LOG = "tg:dir:log"  # stream of changes {n, kind, id, record}; an entry's id is the directory's version
DIRECTORY_VERSION = "tg:dir:version"  # id of the log's last entry; rides in every counter pipeline
DIRECTORY_COUNT = "tg:dir:count"  # entries ever written to the log; `n` of the last one
DIRECTORY_FILLING = "tg:dir:filling"  # hash of the epochs whose full publish is under way here
DIRECTORY_REV = "tg:dir:rev"  # hash "<kind>:<id>" → rev
DIRECTORY_DIGEST = "tg:dir:digest"  # hash key digest → key id

USAGE_STREAM = "tg:usage"  # stream {boot, file, offset, first_seq, last_seq, lines} or {…, lines: "", dead: "1"}
USAGE_GROUP = "aggregator"
SHIPPED = "tg:shipped"  # hash boot → "<file>:<offset>:<last seq>[:end]": how far its journal is in the stream
COMMITTED = "tg:committed"  # hash boot → last seq whose event, and all before it, PostgreSQL holds


def records_of(kind: str) -> str:
    """Name the hash id → JSON of one kind of record."""
    return f"tg:dir:{kind}"


# --- counters: every key of one organization carries its hash tag, so that a claim is one script on one node ---
RUN = "tg:epoch"  # hash {run_id, generation, round}: which life of the server holds the counters, and since when
REBUILD = "tg:rebuild"  # set of organizations that hard claims are waiting for
OWNERS = "tg:owners"  # set of workers (boots) that may hold units


def counter(org: str, *, subject: str, limit: str, window_start_ms: int = 0, test: bool = False) -> str:
    """Name a counter: one limit of one subject (subscription, key or organization id) in one window."""
    return f"tg:c:{{{org}}}:{subject}{':test' if test else ''}:{limit}:{window_start_ms}"


def organization_of(counter_name: str) -> str:
    """Return the organization in a counter's hash tag."""
    return counter_name[counter_name.index("{") + 1 : counter_name.index("}")]


def epoch(org: str) -> str:
    """Name the organization's epoch: the round in which its counters were last set; absent = not to be trusted."""
    return f"tg:e:{{{org}}}"


def held_by(owner: str) -> str:
    """Name the set of counters that a worker may hold units of."""
    return f"tg:held:{owner}"


def round_of(number: int) -> str:
    """Name a rebuild round's hash: "orgs" → JSON list, worker → its answer."""
    return f"tg:round:{number}"
