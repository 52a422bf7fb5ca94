"""Learning rates that change while training goes on: factors of η by the share that is done."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

__all__ = ["SCHEDULES", "Schedule", "constant", "cosine", "exponential", "step", "warm_up"]

Schedule = Callable[[float], float]


def constant(progress: float) -> float:
    """Return 1 at all times.

    Parameters
    ----------
    progress
        Share of the training that is done, 0 to 1.

    Examples
    --------
    >>> constant(0.0), constant(1.0)
    (1.0, 1.0)
    """
    return 1.0


def cosine(progress: float, lowest: float = 0.01) -> float:
    """Return the factor that falls from 1 to `lowest` along half a cosine.

    Parameters
    ----------
    progress
        Share of the training that is done, 0 to 1.
    lowest
        The factor at the end.

    References
    ----------
    Loshchilov & Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.

    Examples
    --------
    >>> cosine(0.0), round(cosine(0.5), 3), cosine(1.0)
    (1.0, 0.505, 0.01)
    """
    return lowest + (1 - lowest) * (1 + math.cos(math.pi * min(progress, 1.0))) / 2


def exponential(progress: float, lowest: float = 0.01) -> float:
    """Return the factor that falls from 1 to `lowest` by equal ratios in equal times.

    Parameters
    ----------
    progress
        Share of the training that is done, 0 to 1.
    lowest
        The factor at the end.

    Examples
    --------
    >>> exponential(0.0), exponential(0.5), exponential(1.0)
    (1.0, 0.1, 0.01)
    """
    return lowest ** min(progress, 1.0)


def step(progress: float, at: Sequence[float] = (0.5, 0.75), factor: float = 0.1) -> float:
    """Return the factor that starts at 1 and falls at once to a part of itself, now and again.

    Parameters
    ----------
    progress
        Share of the training that is done, 0 to 1.
    at
        The shares where it falls.
    factor
        What it is multiplied by at each.

    References
    ----------
    He et al., "Deep residual learning for image recognition", CVPR 2016: by 10 at half and at
    three quarters of the training.

    Examples
    --------
    >>> step(0.49), step(0.5), round(step(1.0), 6)
    (1.0, 0.1, 0.01)
    """
    return factor ** sum(share <= progress for share in at)


def warm_up(schedule: Schedule, share: float = 0.05) -> Schedule:
    """Return the schedule that rises from 0 to 1 in a straight line, and then follows another.

    Parameters
    ----------
    schedule
        What follows; its whole course is fitted into the rest of the training.
    share
        Share of the training that the rise takes, 0 or more and below 1.

    References
    ----------
    Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1 hour", 2017.

    Examples
    --------
    >>> schedule = warm_up(cosine, 0.2)
    >>> schedule(0.0), schedule(0.1), schedule(0.2), round(schedule(0.6), 3), schedule(1.0)
    (0.0, 0.5, 1.0, 0.505, 0.01)
    """

    def warmed(progress: float) -> float:
        if progress < share:
            return progress / share
        return schedule((progress - share) / (1 - share))

    return warmed


SCHEDULES: dict[str, Schedule] = {
    "constant": constant,
    "cosine": cosine,
    "exponential": exponential,
    "step": step,
}
