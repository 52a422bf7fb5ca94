"""Work on many files in several processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

__all__ = ["parallel_map"]

Item = TypeVar("Item")
Result = TypeVar("Result")

# Below this number of items starting processes takes longer than they save.
FEW = 16


def parallel_map(
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int | None = None
) -> Iterator[Result]:
    """Call a function on every item, and give the results in the items' order.

    Parameters
    ----------
    work
        A function of a module, or a partial of one: it must reach the other processes.
    items
        What to work on. Few items are worked on in this process.
    jobs
        Processes side by side; as many as there are processors by default.

    Raises
    ------
    OSError
        When one of the processes dies.
    """
    jobs = min(jobs or os.cpu_count() or 1, len(items))
    if jobs <= 1 or len(items) < FEW:
        yield from map(work, items)
        return
    # Started anew rather than forked: libraries that have threads do not survive a fork. Ctrl-C is
    # for this process alone, so that the others end the file that they are at.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        jobs, mp_context=context, initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
    ) as pool:  # fmt: skip
        try:
            yield from pool.map(work, items)
        except BrokenProcessPool as error:
            raise OSError(
                "a process ended without a word; was there too little memory? Try --jobs 1"
            ) from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
