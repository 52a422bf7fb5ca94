"""How likely a model finds the frames of piano rolls, counted as the published tables count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt

from musicgen.encodings import BOUNDARY
from musicgen.errors import CorpusError, ModelError
from musicgen.networks import SequenceNetwork
from musicgen.training.batches import batches
from musicgen.training.validation import run

__all__ = [
    "FrameLikelihood",
    "FrameModel",
    "MarginalBernoulli",
    "NetworkFrames",
    "frame_likelihood",
    "frames_of",
]

Costs = npt.NDArray[np.float64]
Rolls = Sequence[npt.NDArray[np.bool_]]


class FrameLikelihood(NamedTuple):
    """What pieces cost a model a frame.

    Attributes
    ----------
    nats
        Mean of −ln P of the frames from the second of each piece on, each given those before it.
    frames
        Their number.
    nats_with_first
        The same with the first frames, which are predicted from nothing.
    frames_with_first
        Their number.
    """

    nats: float
    frames: int
    nats_with_first: float
    frames_with_first: int


class FrameModel(Protocol):
    """What can say how likely frames are."""

    def costs(self, rolls: Rolls) -> list[Costs]:
        """Return −ln P of every frame given those before it, ``(T,)`` for each roll ``(T, K)``."""


def frame_likelihood(model: FrameModel, rolls: Rolls) -> FrameLikelihood:
    r"""Compute the negative log-likelihood of piano rolls, in nats a frame.

    .. math:: -\frac{\sum_p \sum_{t=2}^{T_p} \ln P(x_{p,t} \mid x_{p,1}, …, x_{p,t-1})}
       {\sum_p (T_p - 1)}

    All frames of all pieces count alike: the figure is no mean of means. This is the convention of
    Bai et al., whose networks read frames 1 to T − 1 of a piece and predict 2 to T.
    How Boulanger-Lewandowski et al. count is not known to us; their models have a distribution of
    the first frame, so the figure that includes it is computed too.

    Parameters
    ----------
    model
        Such as `MarginalBernoulli` or `NetworkFrames`.
    rolls
        Booleans ``(T, K)``, one a piece.

    Raises
    ------
    CorpusError
        When no piece has a second frame.

    References
    ----------
    Bai, Kolter & Koltun, "An empirical evaluation of generic convolutional and recurrent networks
    for sequence modeling", 2018, and the program that they published with it.

    Examples
    --------
    A model that gives every key one half needs ln 2 a key:

    >>> one = np.array([[True, False], [False, False], [True, True]])
    >>> result = frame_likelihood(MarginalBernoulli(np.array([0.5, 0.5])), [one, one[:2]])
    >>> round(result.nats, 4), result.frames, result.frames_with_first
    (1.3863, 3, 5)
    """
    frames, pieces = sum(map(len, rolls)), len(rolls)
    if frames <= pieces:
        raise CorpusError(f"found {pieces} pieces and no second frame in any; expected some")
    costs = model.costs(rolls)
    total = sum(float(piece.sum()) for piece in costs)
    first = sum(float(piece[0]) for piece in costs)
    return FrameLikelihood(
        (total - first) / (frames - pieces), frames - pieces, total / frames, frames
    )


class MarginalBernoulli:
    """Each key sounds with its own probability, whatever was before and whatever sounds with it.

    The yardstick below which no model may fall, and a check of the counting.

    Parameters
    ----------
    probabilities
        ``(K,)``.
    """

    def __init__(self, probabilities: npt.NDArray[np.float64]) -> None:
        self.probabilities = probabilities

    @classmethod
    def fit(cls, rolls: Rolls) -> Self:
        """Count the keys in the frames of training pieces, by Laplace's rule: (n + 1) / (N + 2).

        So a key that never sounds there is unlikely elsewhere, and not impossible.
        """
        frames = np.concatenate(rolls)
        return cls((frames.sum(axis=0) + 1) / (len(frames) + 2))

    def costs(self, rolls: Rolls) -> list[Costs]:
        """Return ``−Σ_k x_k ln p_k + (1 − x_k) ln(1 − p_k)`` of every frame."""
        yes, no = np.log(self.probabilities), np.log1p(-self.probabilities)
        return [-np.where(roll, yes, no).sum(axis=1) for roll in rolls]


class NetworkFrames:
    """A recurrent network that reads frames and predicts the next.

    The first frame of a piece is predicted from the boundary.

    Parameters
    ----------
    network
        A `musicgen.networks.Network` with the head ``"bernoulli"``, keys independent of each other
        given the past; or a `musicgen.networks.ChordNetwork`. Frames are as `frames_of` has them.
    T, B
        Steps and pieces that are computed at a time.

    Raises
    ------
    ModelError
        When the network does not predict frames of switches.
    """

    def __init__(self, network: SequenceNetwork, T: int = 100, B: int = 20) -> None:
        head = network.architecture.head
        if head != "bernoulli":
            raise ModelError(f"the network's head is {head}; expected bernoulli")
        self.network, self._T, self._B = network, T, B

    def costs(self, rolls: Rolls) -> list[Costs]:
        """Return −ln P of every frame."""
        lengths = [len(roll) for roll in rolls]
        ends = np.cumsum(lengths)
        costs = np.zeros(ends[-1])
        numbers = np.split(np.arange(ends[-1]), ends[:-1])
        order, T, B = range(len(rolls)), min(self._T, max(lengths)), min(self._B, len(rolls))
        unrolled = self.network.unroll(T, B)
        # The numbers of the frames lie in batches as the frames do.
        laid = (batches(pieces, order, T, B) for pieces in (frames_of(rolls), numbers))
        for batch, places in zip(*laid, strict=True):
            run(unrolled, batch, batch.weights)
            there = batch.weights > 0
            costs[places.targets[there]] = unrolled.frame_costs()[there]
        return np.split(costs, ends[:-1])


def frames_of(rolls: Rolls) -> list[npt.NDArray[np.uint8]]:
    """Return the frames ``(T, 1 + K)`` of rolls ``(T, K)``, the boundary's channel before the keys.

    No boundary ends them: the benchmark does not ask where a piece ends.

    Examples
    --------
    >>> frames_of([np.array([[True, False]])])
    [array([[0, 1, 0]], dtype=uint8)]
    """
    return [np.insert(roll.astype(np.uint8), BOUNDARY, 0, axis=1) for roll in rolls]
