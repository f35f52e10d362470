"""What a worker does with units, command by command. The proof that it adds up is the counter machine."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from gateway import names
from gateway.call import Claim, Left, Refusal
from gateway.lease import Request
from gateway.leases import GRACE_MS, IDLE_MS, LIFE_MS, SPENT_MS, Leases
from tests.gateway.counter_model import CounterModel

AT = 1_000_000
QUOTA = Claim(
    counter=names.counter("acme", subject="sub", limit="quota:billable:period", window_start_ms=AT),
    kind="quota",
    name="period",
    meter="billable",
    limit=10,
    version=1,
    hard=True,
    refusal="quota_exceeded",
    window_start_ms=AT,
    window_end_ms=AT + 60_000,
)
ADMITTED = replace(QUOTA, counter=names.counter("acme", subject="sub", limit="quota:admitted:ever"), meter="admitted")
SOFT = replace(QUOTA, counter=names.counter("acme", subject="sub", limit="soft"), hard=False, limit=1)
RATE = Claim(
    counter=names.counter("acme", subject="sub", limit="bucket:second"),
    kind="bucket",
    name="burst",
    meter="billable",
    limit=2,
    version=1,
    hard=True,
    refusal="rate_limited",
    refill=1,
    refill_ms=100,
)


class Server(CounterModel):
    """A server whose counters are in force, and which always answers."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs[names.epoch("acme")] = 5

    def answer(self, leases: Leases, request: Request, at_ms: int = AT) -> str:
        return leases.absorb(request, self.claim(request.keys, request.args, at_ms), at_ms=at_ms).status

    def ask(self, leases: Leases, *claims: Claim, at_ms: int = AT) -> Left | None:
        self.answer(leases, leases.request(claims, at_ms=at_ms), at_ms)
        return leases.spend(claims, at_ms=at_ms)

    def told(self, leases: Leases, requests: Sequence[Request], at_ms: int = AT) -> list[str]:
        return [self.answer(leases, request, at_ms) for request in requests]

    def used(self, claim: Claim) -> int:
        return self.quotas[claim.counter].used


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def leases() -> Leases:
    return worker("w1")


def worker(owner: str, size: int = 0) -> Leases:
    leases = Leases(owner, size=lambda claim, remaining: size)
    leases.generation = 1
    return leases


def test_a_call_asks_and_then_spends_all_its_claims(server: Server, leases: Leases) -> None:
    assert leases.spend((QUOTA, RATE), at_ms=AT) is None
    left = server.ask(leases, QUOTA, RATE)
    assert left is not None
    assert [(state.name, state.limit, state.remaining) for state in left.states] == [("period", 10, 9), ("burst", 2, 1)]
    assert [(state.reset_ms, state.window_ms) for state in left.states] == [(60_000, 60_000), (100, 200)]
    assert leases.spend((QUOTA, RATE), at_ms=AT) is None  # nothing is leased ahead


def test_what_is_short_of_one_claim_takes_nothing_of_another(server: Server, leases: Leases) -> None:
    for _ in range(2):
        server.ask(leases, RATE)
    with pytest.raises(Refusal) as refused:
        server.ask(leases, QUOTA, RATE)
    assert refused.value.code == "rate_limited"
    assert refused.value.retry_after == 1
    assert server.used(QUOTA) == 0


def test_a_known_refusal_is_found_before_anything_is_asked(server: Server, leases: Leases) -> None:
    """With one claim short and another exhausted, asking for what is short would never end."""
    for _ in range(2):
        server.ask(leases, RATE)
    server.answer(leases, leases.request((RATE,), at_ms=AT))
    with pytest.raises(Refusal) as refused:
        leases.spend((QUOTA, RATE), at_ms=AT)
    assert refused.value.code == "rate_limited"
    assert leases.spend((QUOTA, RATE), at_ms=AT + 100) is None  # a token is back: ask


def test_a_spent_quota_is_remembered_until_it_may_have_changed(server: Server, leases: Leases) -> None:
    spent = replace(QUOTA, limit=0)
    with pytest.raises(Refusal) as refused:
        server.ask(leases, spent)
    assert (refused.value.code, refused.value.retry_after) == ("quota_exceeded", 60)
    assert leases.spend((replace(spent, limit=20, version=2),), at_ms=AT) is None  # a newer limit: ask
    assert leases.spend((spent,), at_ms=AT + SPENT_MS) is None


def test_a_tight_quota_is_asked_again(server: Server, leases: Leases) -> None:
    """Its units are with calls that may fail, so that it is spent is not known."""
    one = replace(QUOTA, limit=1)
    server.ask(leases, one)
    reply = leases.absorb(*_asked(server, leases, one), at_ms=AT)
    assert (reply.status, reply.counters[0].outstanding) == ("refused", 1)
    assert leases.spend((one,), at_ms=AT) is None


def _asked(server: Server, leases: Leases, *claims: Claim) -> tuple[Request, list]:
    request = leases.request(claims, at_ms=AT)
    return request, server.claim(request.keys, request.args, AT)


@pytest.mark.parametrize(
    ("claim", "used", "left"),
    [(QUOTA, True, 1), (QUOTA, False, 0), (ADMITTED, True, 1), (ADMITTED, False, 1), (SOFT, False, 0)],
    ids=["billable", "free", "admitted-billable", "admitted-free", "soft-free"],
)
def test_an_ending_uses_its_units_up_or_gives_them_back(
    server: Server, leases: Leases, claim: Claim, used: bool, left: int
) -> None:
    server.ask(leases, claim)
    leases.settle((claim, RATE), used=used)
    server.told(leases, leases.tell(at_ms=AT, now=True))
    assert server.used(claim) == left
    assert leases.all_told()


def test_what_came_back_serves_the_next_call_without_asking(server: Server, leases: Leases) -> None:
    server.ask(leases, QUOTA)
    leases.settle((QUOTA,), used=False)
    assert leases.spend((QUOTA,), at_ms=AT) is not None


def test_tokens_never_come_back(server: Server, leases: Leases) -> None:
    server.ask(leases, RATE)
    leases.settle((RATE,), used=False)
    leases.unspend((RATE,))
    assert leases.spend((RATE,), at_ms=AT) is None


def test_a_call_that_was_never_admitted_takes_even_admitted_units_back(server: Server, leases: Leases) -> None:
    server.ask(leases, ADMITTED)
    leases.unspend((ADMITTED,))
    server.told(leases, leases.tell(at_ms=AT, now=True))
    assert server.used(ADMITTED) == 0


def test_units_leased_ahead_end_with_their_life(server: Server) -> None:
    leases = worker("w1", size=4)
    server.ask(leases, QUOTA)
    assert server.used(QUOTA) == 4
    assert leases.spend((QUOTA,), at_ms=AT + LIFE_MS) is not None
    assert leases.spend((QUOTA,), at_ms=AT + LIFE_MS + 1) is None
    server.told(leases, leases.tell(at_ms=AT + LIFE_MS + 1))
    assert server.used(QUOTA) == 2


def test_a_lease_does_not_outlive_its_window(server: Server) -> None:
    leases = worker("w1", size=4)
    late = QUOTA.window_end_ms - 300
    server.ask(leases, QUOTA, at_ms=late)
    assert leases.spend((QUOTA,), at_ms=QUOTA.window_end_ms) is not None
    assert leases.spend((QUOTA,), at_ms=QUOTA.window_end_ms + 1) is None


def test_a_call_admitted_before_the_end_may_claim_for_a_moment(server: Server, leases: Leases) -> None:
    end = QUOTA.window_end_ms
    assert server.ask(leases, QUOTA, at_ms=end + GRACE_MS - 1) is not None
    assert server.answer(leases, leases.request((QUOTA,), at_ms=end + GRACE_MS), end + GRACE_MS) == "ended"


def test_a_soft_quota_counts_and_never_refuses(server: Server, leases: Leases) -> None:
    for _ in range(3):
        left = server.ask(leases, SOFT)
    assert left is not None
    assert left.states[0].remaining == 0
    assert server.used(SOFT) == 3


def test_a_repeated_request_is_granted_once(server: Server, leases: Leases) -> None:
    request = leases.request((QUOTA,), at_ms=AT)
    assert [server.answer(leases, request), server.answer(leases, request)] == ["ok", "old"]
    assert leases.spend((QUOTA,), at_ms=AT) is not None
    assert leases.spend((QUOTA,), at_ms=AT) is None
    assert server.used(QUOTA) == 1


def test_a_grant_whose_reply_was_lost_is_found_and_given_back(server: Server, leases: Leases) -> None:
    request = leases.request((QUOTA,), at_ms=AT)
    server.claim(request.keys, request.args, AT)
    leases.lost(request)
    server.told(leases, leases.tell(at_ms=AT, now=True))
    server.told(leases, leases.tell(at_ms=AT, now=True))
    assert server.used(QUOTA) == 0


def test_a_request_given_up_is_void_once_the_worker_has_spoken_again(server: Server, leases: Leases) -> None:
    late = leases.request((QUOTA,), at_ms=AT)
    leases.lost(late)
    server.told(leases, leases.tell(at_ms=AT, now=True))
    assert server.answer(leases, late) == "old"
    assert server.used(QUOTA) == 0


def test_an_older_reply_does_not_settle_what_became_of_a_lost_request(server: Server, leases: Leases) -> None:
    server.ask(leases, QUOTA)
    leases.settle((QUOTA,), used=True)
    (told,) = leases.tell(at_ms=AT)
    lost = leases.request((QUOTA,), at_ms=AT)
    server.answer(leases, told)
    server.claim(lost.keys, lost.args, AT)
    leases.lost(lost)
    server.answer(leases, told)
    for _ in range(2):
        server.told(leases, leases.tell(at_ms=AT, now=True))
    assert server.used(QUOTA) == 1


def test_an_older_version_of_a_limit_never_rules_again(server: Server, leases: Leases) -> None:
    server.ask(leases, replace(QUOTA, limit=2, version=2))
    left = server.ask(worker("w2"), QUOTA)
    assert left is not None
    assert left.states[0].limit == 2


def test_counters_that_are_not_in_force_refuse_hard_claims_only(server: Server, leases: Leases) -> None:
    server.epochs.clear()
    assert server.answer(leases, leases.request((QUOTA, RATE), at_ms=AT)) == "rebuild"
    assert server.ask(leases, SOFT, RATE) is not None
    assert server.quotas == {}


def test_counters_of_an_earlier_run_of_the_server_are_not_in_force(server: Server, leases: Leases) -> None:
    for leases.generation, status in ((0, "rebuild"), (6, "rebuild"), (5, "ok")):
        assert server.answer(leases, leases.request((QUOTA,), at_ms=AT)) == status


def test_a_new_life_of_the_counters_starts_from_what_is_outstanding(server: Server, leases: Leases) -> None:
    used = replace(QUOTA, units=2)
    server.ask(leases, used)
    server.ask(leases, QUOTA)
    leases.settle((used,), used=True)
    late = leases.request((QUOTA,), at_ms=AT)
    server.epochs[names.epoch("acme")] = 9
    assert server.answer(leases, late) == "moved"
    assert leases.outstanding(["acme", "other"], before=9) == {QUOTA.counter: 1}
    leases.rebase(["acme"], epoch=9, since=77)
    server.told(leases, leases.tell(at_ms=AT))
    assert server.used(QUOTA) == 1  # the two are in the journal: they are the rebuild's to count
    assert server.quotas[QUOTA.counter].owners["w1"].since == 77


def test_what_was_said_in_an_earlier_life_is_void(server: Server, leases: Leases) -> None:
    server.ask(leases, ADMITTED)
    request, answer = _asked(server, leases, QUOTA)
    leases.rebase(["acme"], epoch=9, since=0)
    assert leases.absorb(request, answer, at_ms=AT).status == "old"
    assert leases.spend((QUOTA,), at_ms=AT) is None


def test_windows_that_are_over_are_forgotten_once_no_call_is_in_them(server: Server, leases: Leases) -> None:
    server.ask(leases, QUOTA, RATE)
    server.ask(leases, QUOTA)
    leases.settle((QUOTA,), used=True)
    over = QUOTA.window_end_ms + GRACE_MS + IDLE_MS
    leases.tell(at_ms=over)
    assert leases.take_forgotten() == []
    leases.settle((QUOTA,), used=True)
    leases.tell(at_ms=over + GRACE_MS + 1)
    assert leases.take_forgotten() == [QUOTA.counter]
    assert leases.tell(at_ms=over + 2 * GRACE_MS) == []
    assert leases.all_told()


def test_claims_of_two_organizations_are_two_requests(leases: Leases) -> None:
    foreign = replace(RATE, counter=names.counter("provider", subject="api", limit="total"))
    with pytest.raises(ValueError, match="another hash tag"):
        leases.request((QUOTA, foreign), at_ms=AT)
