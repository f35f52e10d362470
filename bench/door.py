"""`python -m bench.door`: what the gateway adds to a call, measured against the same upstream called directly.

Starts a product of its own, calls the echo API directly and through the gateway in turns, prints both and
their ratio. Everything runs on this machine, so client, gateway and upstream share its cores.
"""

import argparse
import statistics
from contextlib import closing

from tests import load
from tests.product import Product, running

ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.door", description=__doc__)
    parser.add_argument("--calls", type=int, default=2000, help="calls per round and way")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2, help="gateway processes")
    options = parser.parse_args()
    with closing(running("--with-echo", "--gateway-workers", str(options.workers))) as products:
        measure(next(products), calls=options.calls, connections=options.connections)


def measure(product: Product, *, calls: int, connections: int) -> None:
    key = product.data["echo"]["keys"]["open"]
    ways = {
        "upstream directly": (product.data["echo"]["url"], "/x"),
        "through the gateway": (product.gateway, "/echo/x"),
    }
    rates: dict[str, list[float]] = {way: [] for way in ways}
    print(
        f"{calls} calls on {connections} connections, {ROUNDS} rounds, {len(product.pids('gateway'))} gateway processes"
    )
    for _ in range(ROUNDS):
        for way, (base, path) in ways.items():
            rates[way].append(one_round(way, load.run(base, path, key, connections=connections, calls=calls)))
    direct, through = (statistics.median(rates[way]) for way in ways)
    print(f"ratio: a call through the gateway takes {direct / through:.1f} times the time of one without it")


def one_round(way: str, outcome: load.Outcome) -> float:
    """Print one round; return its calls per second."""
    assert outcome.broken == 0
    assert set(outcome.statuses()) == {"200"}, outcome.statuses()
    times = sorted(answer.done_at - answer.sent_at for answer in outcome.answers)
    took = max(answer.done_at for answer in outcome.answers) - min(answer.sent_at for answer in outcome.answers)
    rate = len(times) / took
    middle, late = times[len(times) // 2] * 1000, times[len(times) * 99 // 100] * 1000
    print(f"  {way:<20} {rate:7.0f} calls/s   p50 {middle:6.1f} ms   p99 {late:6.1f} ms")
    return rate


if __name__ == "__main__":
    main()
