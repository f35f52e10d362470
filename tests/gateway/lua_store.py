"""The four scripts on a real server, each answer compared with the model's: the machine's other server."""

import redis

from gateway import counter_link, names, rebuild
from tests.gateway.counter_model import CounterModel

_TIME = "local time = redis.call('TIME')\n  return time[1] * 1000 + math.floor(time[2] / 1000)\n"
assert counter_link.SCRIPT.count(_TIME) == 1
CLAIM = counter_link.SCRIPT.replace(_TIME, "return tonumber(redis.call('GET', 'test:now'))\n")
DATABASE = 9  # of the test server: nobody else's keys are flushed


class LuaStore:
    """Says what the server says, and holds it to the model."""

    def __init__(self, client: redis.Redis) -> None:
        self.client, self.model = client, CounterModel()
        client.flushdb()
        self._claim = client.register_script(CLAIM)
        self._seed = client.register_script(rebuild._SEED)
        self._reclaim = client.register_script(rebuild._RECLAIM)

    def claim(self, keys: list, args: list, at: int) -> list:
        self.client.set("test:now", at)
        said = self._claim(keys=keys, args=args)
        assert said == self.model.claim(keys, args, at)
        return said

    def void(self, org: str) -> None:
        self.client.delete(names.epoch(org))
        self.model.void(org)

    def seed(self, org: str, epoch: int, counters: dict) -> bool:
        keys, args = [names.epoch(org)], [epoch]
        for key, (recorded, owners) in counters.items():
            keys.append(key)
            args += [recorded, 0, len(owners)]
            for owner, numbers in owners.items():
                args += [owner, *numbers]
        said = bool(self._seed(keys=keys, args=args))
        assert said == self.model.seed(org, epoch, counters)
        return said

    def reclaim(self, key: str, epoch: int, owner: str, spent: int) -> bool:
        org = names.organization_of(key)
        said = bool(self._reclaim(keys=[names.epoch(org), key], args=[epoch, owner, spent]))
        assert said == self.model.reclaim(key, epoch, owner, spent)
        return said

    def snapshot(self) -> tuple:
        return {key: self.client.dump(key) for key in self.client.scan_iter()}, self.model.snapshot()

    def restore(self, snapshot: tuple) -> None:
        self.client.flushdb()
        for key, dump in snapshot[0].items():
            self.client.restore(key, 0, dump)
        self.model.restore(snapshot[1])

    def flush(self) -> None:
        self.client.flushdb()
        self.model.flush()

    def check(self) -> None:
        """Every quota on the server is the model's."""
        for key, quota in self.model.quotas.items():
            held = {name.decode(): value.decode() for name, value in self.client.hgetall(key).items()}
            said = int(held.pop("epoch")), int(held.pop("used")), int(held.pop("settled"))
            assert said == (quota.epoch, quota.used, quota.settled)
            rule = int(held.pop("version", -1)), int(held.pop("limit", 0))
            assert rule == (quota.version, quota.limit)
            owners = {
                f"o:{name}": f"{mine.granted} {mine.settled} {mine.returned} {mine.seq} {mine.since}"
                for name, mine in quota.owners.items()
            }
            assert held == owners
