"""What the network between workers and store does when it is given time."""

from tests.gateway.counter_world import Worker, World


def settle_network(world: World, worker: Worker | None = None) -> None:
    """Let what is on its way arrive: of one worker, or of all."""
    while True:
        requests = [i for i, (other, _) in enumerate(world.requests) if worker in (None, other)]
        replies = [i for i, (other, _, _) in enumerate(world.replies) if worker in (None, other)]
        if requests:
            world.deliver(requests[0], repeat=False)
        elif replies:
            world.hear(replies[0], repeat=False)
        else:
            return


def arrive_unheard(world: World) -> None:
    """Requests that come when their worker has long given them up, and repeated ones."""
    while world.requests:
        world.deliver(0, repeat=False)
    world.replies.clear()
