"""Counters after Redis lost them, and after workers died: never one unit too many, and none lost for good."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from django.conf import settings as django_settings
from django.db import connections
from django.utils import timezone

from gateway import names
from gateway.call import Refusal
from gateway.records import Limit
from gateway.store import connect
from kit.django.locks import only_one
from kit.ids import uuid7
from tests.usage.journal import ms
from tests.usage.world import Customer, Worker, die_after, ship
from usage import consumer
from usage.models import Producer
from usage.rebuild import LOCK, ensure_counters, rebuild_waiting

pytestmark = pytest.mark.django_db(transaction=True)

QUOTA = Limit("quota:billable:period", "quota", "period", 10)
ADMITTED = Limit("quota:admitted:period", "quota", "attempts", 10, meter="admitted")
PER_KEY = Limit("quota:billable:period:key", "quota", "key", 10, per="key")
EVER = Limit(
    "quota:billable:ever", "quota", "unverified", 10, window="ever", per="organization", refusal="email_unverified"
)


@pytest.fixture
def redis():
    client = connect(django_settings.GATEWAY.redis_url, timeout_s=2)
    client.flushdb()
    return client


@pytest.fixture
def home(settings, tmp_path, redis):
    """The gateway's settings, with an empty journal folder and an empty Redis."""
    settings.GATEWAY = dataclasses.replace(settings.GATEWAY, journal_dir=tmp_path / "journal", redis_timeout_s=2)
    return settings.GATEWAY


@pytest.fixture
def worker(home):
    """Start workers of a customer; close them at the end."""
    started = []

    def start(customer: Customer) -> Worker:
        started.append(Worker(home, customer))
        return started[-1]

    yield start
    for each in started:
        each.close()


def customer(home, *limits: Limit, organization_limits: tuple[Limit, ...] = ()) -> Customer:
    made = Customer(limits, ms(timezone.now()), organization_limits)
    made.publish(home)
    return made


def in_force(home, who: Customer) -> None:
    """Bring a customer's counters into force as a call that waits for them does."""
    connect(home.redis_url, timeout_s=2).sadd(names.REBUILD, who.id)
    rebuild_waiting()


def take_in(home) -> None:
    ship(home)
    while consumer.consume(connect(home.stream_url, timeout_s=2), at=timezone.now()):
        pass


def units_left(worker: Worker, *, test: bool = False) -> int:
    """How many more calls are admitted (and spent)."""
    for spent in range(100):
        try:
            worker.call(test=test)
        except Refusal as refusal:
            assert refusal.code in ("quota_exceeded", "email_unverified"), refusal.code
            return spent
    raise AssertionError("the quota never ends")


def test_a_new_customers_first_call_is_served(home, worker):
    newcomer = customer(home, QUOTA)
    ensure_counters(UUID(newcomer.id))
    assert units_left(worker(newcomer)) == 10


def test_ensuring_twice_forgets_nothing(home, worker):
    newcomer = customer(home, QUOTA)
    ensure_counters(UUID(newcomer.id))
    busy = worker(newcomer)
    busy.call(times=4)
    ensure_counters(UUID(newcomer.id))
    assert units_left(busy) == 6


def test_a_customer_born_in_this_life_of_redis_needs_no_round(home, redis):
    ensure_counters(uuid7(1_600_000_000_000))
    Producer.objects.create(
        boot_id="b", gateway="g", worker="1", started_at=timezone.now(), last_beat_at=timezone.now()
    )
    newcomer = uuid7(ms(timezone.now()) + 60_000)
    ensure_counters(newcomer)
    assert redis.exists(names.epoch(str(newcomer)))


def test_an_older_customer_is_not_simply_set_to_zero(home, redis, worker):
    """Its calls may be in a journal: without the directory nobody can tell, so it waits."""
    worker(customer(home, QUOTA))
    redis.flushdb()
    older = uuid7(1_600_000_000_000)
    ensure_counters(older)
    assert not redis.exists(names.epoch(str(older)))
    assert redis.sismember(names.REBUILD, str(older))


def test_until_the_rebuild_hard_quotas_are_refused_and_wait(home, redis, worker):
    with pytest.raises(Refusal, match="quota_rebuilding"):
        worker(customer(home, QUOTA)).admit()


@pytest.mark.parametrize(
    ("limits", "organization_limits"),
    [((QUOTA,), ()), ((PER_KEY,), ()), ((), (EVER,)), ((QUOTA, PER_KEY), (EVER,))],
)
def test_an_empty_redis_gives_exactly_what_was_left(home, redis, worker, limits, organization_limits):
    who = customer(home, *limits, organization_limits=organization_limits)
    in_force(home, who)
    busy = worker(who)
    busy.call(times=3)
    take_in(home)  # stored
    busy.call(times=2)  # only in the journal
    busy.call(answered=False)  # gives its unit back
    busy.admit()  # in flight
    redis.flushdb()
    who.publish(home)
    in_force(home, who)
    assert units_left(busy) == 10 - 3 - 2 - 1
    busy.end(answered=False)
    assert units_left(busy) == 1


def test_attempts_are_rebuilt_with_those_that_failed(home, redis, worker):
    who = customer(home, ADMITTED)
    in_force(home, who)
    busy = worker(who)
    busy.call(times=2)
    take_in(home)
    busy.call(times=3, answered=False)
    redis.flushdb()
    who.publish(home)
    in_force(home, who)
    assert units_left(busy) == 5


def test_test_calls_have_counters_of_their_own(home, redis, worker):
    who = customer(home, QUOTA)
    in_force(home, who)
    busy = worker(who)
    busy.call(times=3, test=True)
    take_in(home)
    busy.call(times=1, test=True)
    busy.call(times=7)
    redis.flushdb()
    who.publish(home)
    in_force(home, who)
    assert (units_left(busy, test=True), units_left(busy)) == (6, 3)


def test_a_worker_that_died_is_counted_by_its_journal(home, redis, worker):
    who = customer(home, QUOTA)
    in_force(home, who)
    die_after(home, who, ended=4, in_flight=2)
    redis.flushdb()
    who.publish(home)
    in_force(home, who)
    assert units_left(worker(who)) == 6


def test_what_a_dead_worker_held_comes_back_once_its_journal_is_stored(home, redis, worker):
    who = customer(home, QUOTA)
    in_force(home, who)
    boot = die_after(home, who, ended=3, in_flight=5)
    rebuild_waiting()
    assert units_left(worker(who)) == 2  # nobody knows yet how its calls ended
    take_in(home)
    assert Producer.objects.get(boot_id=boot).closed
    rebuild_waiting()
    assert units_left(worker(who)) == 5
    assert boot.encode() not in redis.smembers(names.OWNERS)


def test_reclaiming_twice_gives_back_once(home, worker):
    who = customer(home, QUOTA)
    in_force(home, who)
    die_after(home, who, ended=3, in_flight=4)
    take_in(home)
    rebuild_waiting()
    rebuild_waiting()
    assert units_left(worker(who)) == 7


def test_a_dead_workers_attempts_in_flight_stay_spent(home, worker):
    who = customer(home, ADMITTED)
    in_force(home, who)
    die_after(home, who, ended=3, in_flight=4)
    take_in(home)
    rebuild_waiting()
    assert units_left(worker(who)) == 3


def test_who_the_directory_does_not_know_goes_on_waiting(home, redis):
    customer(home, QUOTA)
    stranger = str(uuid7())
    redis.sadd(names.REBUILD, stranger)
    rebuild_waiting()
    assert redis.smembers(names.REBUILD) == {stranger.encode()}
    assert not redis.exists(names.epoch(stranger))


def test_one_process_rebuilds_at_a_time(home, redis):
    who = customer(home, QUOTA)
    redis.sadd(names.REBUILD, who.id)
    with ThreadPoolExecutor(1) as elsewhere:  # a thread has its own connection, as another process has
        with only_one(LOCK):
            elsewhere.submit(rebuild_waiting).result()
            assert not redis.exists(names.epoch(who.id))
        elsewhere.submit(rebuild_waiting).result()
        elsewhere.submit(connections.close_all).result()
    assert redis.exists(names.epoch(who.id))
