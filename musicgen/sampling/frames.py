"""Drawing a whole sequence of frames, several at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from musicgen.sampling.pitches import choose

__all__ = ["decide_switches", "decide_values", "decide_velocities", "generate_frames"]

Array = npt.NDArray[Any]
Rngs = Sequence[np.random.Generator]

BOUNDARY = 0
# A linear output is not sure to a tenth: a smaller probability would be noise that is drawn.
NOISE = 0.1


def generate_frames(
    step: Callable[[Array], Array],
    rngs: Rngs,
    *,
    length: int,
    boundary: Array,
    decide: Callable[[Array, Array, Rngs], Array],
    primer: Iterable[Array] = (),
) -> list[npt.NDArray[np.float32]]:
    """Draw B sequences of frames, each until its boundary or the length is reached.

    Parameters
    ----------
    step
        Takes frames ``(B, D)``, remembers them, and returns the logits ``(B, D)`` of the next. It
        must start fresh; it is given the boundary first, since an end is also where a piece starts.
    rngs
        Sources of the draws, one a sequence, so that none depends on the others.
    length
        Most frames drawn.
    boundary
        The frame ``(D,)`` that ends a piece.
    decide
        Takes the logits, the frames before and the sources, and returns the next frames ``(B, D)``:
        one of the ``decide_`` functions with its settings, by `functools.partial`.
    primer
        Frames ``(T, D)`` that all sequences start with.

    Returns
    -------
    list of ndarray
        The primer and the frames drawn after it ``(T, D)``, without the boundary.

    Examples
    --------
    >>> from functools import partial
    >>> def step(frames):  # a note, two frames, the end
    ...     return np.roll(frames, 1, axis=1) * 40.0 - 20
    >>> decide = partial(decide_switches, notes=slice(1, 4))
    >>> end, rngs = np.array([1, 0, 0, 0]), [np.random.default_rng(0)]
    >>> generate_frames(step, rngs, length=9, boundary=end, decide=decide)
    [array([[0., 1., 0., 0.],
            [0., 0., 1., 0.],
            [0., 0., 0., 1.]], dtype=float32)]
    """
    B, D = len(rngs), len(boundary)
    inputs = np.tile(np.asarray(boundary, np.float32), (B, 1))
    history: list[Array] = []
    for frame in primer:
        step(inputs)
        inputs = np.tile(np.asarray(frame, np.float32), (B, 1))
        history.append(inputs)
    lengths = np.full(B, len(history))
    live = np.ones(B, np.bool_)
    for _ in range(length):
        inputs = decide(step(inputs), inputs, rngs)
        live &= inputs[:, BOUNDARY] < 0.5
        if not live.any():
            break
        history.append(inputs)
        lengths[live] += 1
    frames = np.array(history, np.float32).reshape(-1, B, D)
    return [frames[:stop, row].copy() for row, stop in enumerate(lengths)]


def decide_switches(
    logits: Array,
    previous: Array,
    rngs: Rngs,
    *,
    notes: slice,
    layers: int = 1,
    thermometers: Sequence[slice] = (),
    temperature: float = 1.0,
    threshold: float | Array | None = None,
    top: int | None = None,
    most: int | None = None,
) -> npt.NDArray[np.float32]:
    """Decide which channels are on, of a network that says yes or no to each.

    The end is drawn: at no single step is it likely, so that no threshold would ever find it. Bar
    lines and tempo go on as they were, where a draw would sooner or later put a bar line in a
    wrong place: those are on that are likelier than not. In the first frame, where nothing went on
    yet, they are drawn as well, so that each sequence has a metre and a tempo of its own; a piece
    does not end before it has a frame.

    Parameters
    ----------
    logits, previous
        ``(B, D)``: of the next frames, and the frames before.
    rngs
        Sources of the draws, one a row.
    notes
        Channels of the notes.
    layers
        Channels of a pitch, of which one at most is on: 2 for onsets, then sustained notes. Only
        what sounded before is sustained.
    thermometers
        Channels of which the first up to a level are on.
    temperature
        Divides the logits; 0 leaves the likelier alone. Above 1 it does not hold for the end, so
        that pieces keep their length.
    threshold, top, most
        As in `choose`, which draws the notes when neither of the first two is given. The notes of
        the first frame are drawn from a threshold's probabilities as well.
    """
    u = _uniform(rngs, previous.shape[1])
    z = np.asarray(logits, np.float64)
    p = _sigmoid(z / max(temperature, 1e-6))
    p[:, BOUNDARY] = _sigmoid(z[:, BOUNDARY] / np.clip(temperature, 1e-6, 1))
    frames = _controls(p, u, previous, notes, thermometers)
    B = len(frames)
    before = previous[:, notes].reshape(B, layers, -1)
    chances = p[:, notes].reshape(B, layers, -1)
    chances[:, 1:] *= (before >= 0.5).any(axis=1, keepdims=True)
    draws = u[:, notes].reshape(B, layers, -1)[:, 0]
    chosen = choose(chances, draws, threshold=threshold, top=top, most=most)
    if threshold is not None:
        # All pieces would start, and go on, alike.
        opens = _opens(previous)
        chosen[opens] = choose(chances[opens], draws[opens], most=most)
    frames[:, notes] = chosen.reshape(B, -1)
    return frames


def decide_velocities(
    values: Array,
    previous: Array,
    rngs: Rngs,
    *,
    notes: slice,
    thermometers: Sequence[slice] = (),
    loudness: float | None = None,
    threshold: float | Array | None = None,
    top: int | None = None,
    most: int | None = None,
) -> npt.NDArray[np.float32]:
    """Decide which notes sound, of a network that says how loud each is (report, chapter 8).

    With a threshold or a rank the chosen notes keep their value, the others become 0. But a network
    in doubt says less than any note is loud: what it predicts is velocity times probability. Heard
    again, such notes fade away. With a loudness, notes are drawn: a value's share of it is the
    probability, and a note that sounds is as loud at least.

    Of a channel that is 0 or 1, the value expected is the probability: so the other channels are
    decided as in `decide_switches`. What has a probability below 0.1 is not drawn.

    Parameters
    ----------
    values, previous
        ``(B, D)``: of the next frames, and the frames before.
    rngs
        Sources of the draws, one a row.
    notes
        Channels of the notes, one a pitch.
    thermometers
        Channels of which the first up to a level are on.
    loudness
        Of a usual note; needed when there is neither `threshold` nor `top`: then notes are drawn.
    threshold, top, most
        As in `choose`.
    """
    v = np.clip(np.asarray(values, np.float64), 0, 1)
    v[:, BOUNDARY] *= v[:, BOUNDARY] >= NOISE
    u = _uniform(rngs, previous.shape[1])
    frames = _controls(v, u, previous, notes, thermometers)
    loud, draws = v[:, np.newaxis, notes], None
    if loudness is not None and threshold is None and top is None:
        p, loud, draws = loud / loudness, np.maximum(loud, loudness), u[:, notes]
        p *= p >= NOISE
    else:
        p = loud
    chosen = choose(p, draws, threshold=threshold, top=top, most=most)
    frames[:, notes] = (loud * chosen)[:, 0]
    return frames


def decide_values(
    values: Array, previous: Array, rngs: Rngs, *, deviation: float | Array = 0.0
) -> npt.NDArray[np.float32]:
    """Take the values as they are, with normal noise about them; the end is where it is likely.

    Parameters
    ----------
    values, previous
        ``(B, D)``: of the next frames, and the frames before.
    rngs
        Sources of the noise, one a row.
    deviation
        Standard deviation of the noise, one number or ``(D,)``.
    """
    B, D = values.shape
    ends = values[:, BOUNDARY] >= 0.5
    noise = np.array([rng.standard_normal(D) for rng in rngs])
    frames = (values + deviation * noise).astype(np.float32)
    frames[:, BOUNDARY] = ends & ~_opens(previous)
    return frames


def _controls(
    p: Array, u: Array, previous: Array, notes: slice, thermometers: Sequence[slice]
) -> npt.NDArray[np.float32]:
    """Return frames whose channels before the notes are decided, and the others 0."""
    frames = np.zeros(p.shape, np.float32)
    opens = _opens(previous)
    controls = slice(BOUNDARY + 1, notes.start)
    limit = np.where(opens[:, np.newaxis], u[:, : notes.start], 0.5)
    p = p.copy()
    for channels in thermometers:
        p[:, channels] = np.minimum.accumulate(p[:, channels], axis=1)
        limit[:, channels] = limit[:, channels.start, np.newaxis]
    frames[:, controls] = p[:, controls] >= limit[:, controls]
    frames[:, BOUNDARY] = (u[:, BOUNDARY] < p[:, BOUNDARY]) & ~opens
    return frames


def _opens(previous: Array) -> npt.NDArray[np.bool_]:
    """Say in which rows ``(B,)`` a piece starts."""
    opens: npt.NDArray[np.bool_] = previous[:, BOUNDARY] >= 0.5
    return opens


def _uniform(rngs: Rngs, count: int) -> Array:
    return np.array([rng.random(count) for rng in rngs])


def _sigmoid(z: Array) -> Array:
    return np.exp(-np.logaddexp(0, -z))
