"""The portal's Run panel: the same flow, in this process, with a grant that the portal gives in."""

from msgspec import Struct

from gateway.call import Headers

BODY_MAX = 1 << 20


class RunReply(Struct, frozen=True):
    """What a person is shown of one call. Text of others: escape it."""

    request_id: str
    status: int
    headers: Headers  # as a consumer of the gateway gets them
    body: bytes  # at most BODY_MAX bytes, not decoded
    truncated: bool  # the upstream had more to say
    took_ms: int
