"""Work on many things in several processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from types import ModuleType
from typing import Any, TypeVar

__all__ = ["parallel_map"]

Item = TypeVar("Item")
Result = TypeVar("Result")

# Seconds: starting processes takes about as long, so what is done sooner is done without them.
HEAD_START = 1.0
# Items are handed out in bundles of so many seconds that the handing out does not count.
BUNDLE, LARGEST = 0.05, 256


def parallel_map(
    work: Callable[[Item], Result], items: Iterable[Item], jobs: int | None = None
) -> Iterator[Result]:
    """Call a function on every item, and give the results in the items' order.

    The work starts in this process; others join in when it takes longer than a second. Items
    are taken, and results held, a few at a time, so that both may be more than memory holds.

    Parameters
    ----------
    work
        A function of a module, or a partial of one: it must reach the other processes, and does
        once for each.
    items
        What to work on.
    jobs
        Processes side by side; as many as there are processors by default.

    Raises
    ------
    ChildProcessError
        When one of the processes dies.
    """
    jobs = jobs or os.cpu_count() or 1
    items = iter(items)
    seconds, count = 0.0, 0
    for item in items:
        start = time.perf_counter()
        result = work(item)
        seconds += time.perf_counter() - start
        count += 1
        yield result
        if jobs > 1 and seconds > HEAD_START:
            break
    else:
        return
    yield from _spread(work, items, jobs, min(1 + int(count * BUNDLE / seconds), LARGEST))


def _spread(
    work: Callable[[Item], Result], items: Iterator[Item], jobs: int, size: int
) -> Iterator[Result]:
    # Started anew rather than forked: libraries that have threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_start, initargs=(work,))
    waiting: deque[Future[list[Result]]] = deque()
    with pool:
        try:
            while True:
                while len(waiting) < 2 * jobs and (bundle := list(islice(items, size))):
                    with _unseen_main():
                        waiting.append(pool.submit(_run, bundle))
                if not waiting:
                    return
                yield from waiting.popleft().result()
        except BrokenProcessPool as error:
            raise ChildProcessError(
                "a process ended without a word; was there too little memory? Try --jobs 1"
            ) from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def _unseen_main() -> Iterator[None]:
    # A new process would run the program's own script once more, which need not be made for it.
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


_work: Callable[[Any], Any]


def _start(work: Callable[[Any], Any]) -> None:
    # Ctrl-C is for the first process alone, so that the others end the file that they are at.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    global _work
    _work = work


def _run(bundle: list[Any]) -> list[Any]:
    return [_work(item) for item in bundle]
