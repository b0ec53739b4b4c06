"""Work in turns, such as the push of a layer: some connections, each with a thread that takes turn after turn."""

import threading
import time
from collections.abc import Callable

from bench.load import Load
from bench.wire import Address, Connection

MOST_TURNS = 1000

Turn = Callable[[Connection], int | None]
"""Does one turn and returns how much that was; None: there is nothing left to do."""


def take_turns(address: Address, turn: Turn, *, connections: int, seconds: float) -> Load:
    """Take turns until the time is over or nothing is left. Raises what the first turn that failed raised."""
    done: list[int] = []
    failures: list[Exception] = []
    lines = [Connection(address) for _ in range(connections)]
    started = time.perf_counter()

    def run(line: Connection) -> None:
        try:
            for _ in range(MOST_TURNS):
                did = turn(line)
                if did is None:
                    break
                done.append(did)
                if failures or time.perf_counter() >= started + seconds:
                    break
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(line,)) for line in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - started
    for line in lines:
        line.close()
    if failures:
        raise failures[0]
    return Load(sum(done), 0, elapsed)
