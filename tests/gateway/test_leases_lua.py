"""The same machine, run against `leases.lua` and the rebuild scripts on a real Valkey."""

import os

import redis
from hypothesis import settings

from tests.gateway.lua_store import DATABASE, LuaStore
from tests.gateway.test_counter_machine import CounterMachine


class LuaMachine(CounterMachine):
    def make_store(self) -> LuaStore:
        return LuaStore(redis.Redis.from_url(os.environ["REDIS_URL"], db=DATABASE))

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "world"):
            self.world.store.check()
            self.world.store.client.close()


TestLua = LuaMachine.TestCase
TestLua.settings = settings(max_examples=max(40, settings.default.max_examples // 10))
