"""One call as far as it is known: the flow fills it in from the top, policies and the usage event read it."""

from msgspec import Struct

from gateway.admission import Terms, Window
from gateway.call import Call, Left, Refusal, Reply
from gateway.records import Grant
from gateway.routing import Op
from gateway.settings import GatewaySettings


class Case(Struct):
    """What each stage found out; None: the call did not get there."""

    call: Call
    settings: GatewaySettings
    op: Op | None = None
    grant: Grant | None = None
    terms: Terms | None = None
    window: Window | None = None
    left: Left | None = None
    reply: Reply | None = None
    refusal: Refusal | None = None
