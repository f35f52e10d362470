"""The playbook's endings on an event loop: each fault arrives as a loop would bring it, and gives the same event."""

import asyncio

import pytest

from gateway.call import ClientGone, FindGrant, Forward, Refusal, Reply, Respond, Sent, Spend
from tests.gateway.async_driver import GONE, Client
from tests.gateway.endings import ENDINGS, Case, admitted
from tests.gateway.playbook import BlankDesk, a_call


class Script:
    """Plays everybody else from a playbook's steps, each answer in a later turn of the loop."""

    def __init__(self, case, pieces):
        self.steps, self.pieces, self.case = list(case.steps), list(pieces), case
        self.client = None
        self.written, self.aborted, self.upstream_cut = b"", False, False
        self.accepted = self.request_whole = False

    # --- who is asked ---

    async def find_grant(self, command):
        return await self._play(FindGrant)

    async def spend(self, command):
        return await self._play(Spend)

    # --- the upstream ---

    async def start(self, forward):
        self.accepted = bool(self.case.event["accepted"])
        reply = await self._play(Forward)
        self.request_whole = True
        return reply

    async def read(self):
        await asyncio.sleep(0)
        if self.steps and isinstance(self.steps[0][1], Refusal):
            raise self.steps.pop(0)[1]
        if not self.pieces and getattr(self.steps[0][1], "cut", False):
            raise Refusal("upstream_truncated")
        return self.pieces.pop(0) if self.pieces else b""

    def cut(self):
        self.upstream_cut = True

    # --- the client's connection ---

    def write(self, data):
        self.written += data

    def abort(self):
        self.aborted = True

    async def drain(self):
        await self._play(Respond)

    async def _play(self, kind):
        expected, answer = self.steps.pop(0)
        assert expected is kind
        await asyncio.sleep(0)
        sent = answer.sent if isinstance(answer, ClientGone) else answer
        if isinstance(sent, Sent) and sent.status == GONE:
            self.request_whole = sent.request_whole
            asyncio.get_running_loop().call_soon(self.client.gone)
            await asyncio.Event().wait()  # nobody answers any more: only leaving ends this
        if isinstance(answer, Exception):
            raise answer
        return answer


async def drive(case, pieces=(b"all",)):
    script = Script(case, pieces)
    client = script.client = Client(case.call, BlankDesk(case.api), asked=script, upstream=script, transport=script)
    await asyncio.wait_for(client.serve(), 5)
    return client, script


@pytest.mark.parametrize("case", ENDINGS, ids=lambda case: case.name)
def test_every_ending_has_its_one_event(case):
    client, script = asyncio.run(drive(case))
    (event,) = [entry for entry in client.log if entry != "last"]
    if case.event is None:
        assert event is None
    else:
        assert {name: getattr(event, name) for name in case.event} == case.event
    left = any(isinstance(answer, ClientGone) for _, answer in case.steps)
    assert script.upstream_cut or not left, "whoever leaves takes the upstream along"


@pytest.mark.parametrize("pieces", [(b"all",), (b"a", b"ll"), (b"a", b"l", b"l"), ()])
def test_the_event_is_noted_before_the_piece_that_completes_the_answer(pieces):
    case = Case("", a_call(), (*admitted(), (Forward, Reply(200, [])), (Respond, Sent(200))), {"accepted": True})
    client, script = asyncio.run(drive(case, pieces))
    event, last = client.log
    assert (last, script.written, event.bytes_out) == ("last", b"".join(pieces), len(b"".join(pieces)))


def test_an_upstream_that_breaks_off_cuts_the_client():
    sent = Sent(200, whole=False, cut=True, accepted=True)
    case = Case("", a_call(), (*admitted(), (Forward, Reply(200, [])), (Respond, sent)), {"accepted": True})
    client, script = asyncio.run(drive(case, (b"a", b"b", b"c")))
    (event,) = client.log
    assert (script.written, script.aborted, event.problem) == (b"ab", True, "upstream_truncated")
