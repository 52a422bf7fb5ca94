"""Drawing whole sequences, symbol by symbol, many at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from musicgen import kernels
from musicgen.errors import ModelError
from musicgen.sampling.choice import (
    SURE,
    check_settings,
    pick,
    probabilities,
    repetitions,
    uniform,
)
from musicgen.sampling.constraint import Constraint

__all__ = ["Sequence", "generate", "log_probabilities"]

WINDOW = 512  # symbols in which repetitions are looked for


class Sequence(NamedTuple):
    """A drawn sequence.

    Attributes
    ----------
    symbols
        The primer and what was drawn after it, without the end symbol.
    log_likelihood
        Sum of ``ln p`` of the drawn symbols (the end included), p being the network's own
        probability at temperature 1, with nothing penalised, forbidden or cut off.
    drawn
        Number of drawn symbols, the end included.
    ended
        Whether the end symbol was drawn.
    """

    symbols: list[int]
    log_likelihood: float
    drawn: int
    ended: bool


def generate(
    step: Callable[[npt.NDArray[np.int32]], npt.NDArray[Any]],
    rngs: list[np.random.Generator],
    *,
    length: int,
    end: int = 0,
    primers: Iterable[Iterable[int]] | None = None,
    never: Collection[int] = (),
    constraints: list[Constraint] | None = None,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    repetition_penalty: float = 0.0,
) -> list[Sequence]:
    """Draw sequences side by side, each until the end symbol or the length is reached.

    A row's draws come from its own generator alone, so that it is the same in any company, up to
    the rounding of the network.

    Parameters
    ----------
    step
        Takes a symbol for each row ``(B,)``, remembers them, and returns the logits ``(B, V)`` of
        the next. It must start fresh; it is given `end` first, since an end is also where a
        sequence starts. Rows that have ended are given `end` until all have.
    rngs
        Sources of the draws, one a row.
    length
        Most symbols drawn in a row.
    end
        The symbol that ends a sequence.
    primers
        Symbols that the sequences start with, one primer a row; they need not be of one length.
    never
        Symbols that must not be drawn.
    constraints
        Fresh constraints, one a row.
    temperature, top_k, top_p, min_p
        As in `probabilities`.
    repetition_penalty
        Taken from a symbol's logit for each time but the first that it has followed the last 16
        symbols before, within 512 (see `repetitions`): a phrase may come twice, loops break off.
        0 lets them go on; 1 is a mild start.

    Returns
    -------
    list of Sequence
        One a row.

    Raises
    ------
    ModelError
        When the network's logits are not numbers, or nothing is allowed.
    ValueError
        For a setting outside its range.

    Examples
    --------
    >>> def step(symbols):  # always the next number, then the end
    ...     return np.where(np.arange(4) == (symbols[:, None] + 1) % 4, 9.0, -9.0)
    >>> rngs = [np.random.default_rng(seed) for seed in (1, 2)]
    >>> [row.symbols for row in generate(step, rngs, length=10, primers=[[], [2]])]
    [[1, 2, 3], [2, 3]]
    """
    check_settings(
        temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p,
        repetition_penalty=repetition_penalty,
    )  # fmt: skip
    B = len(rngs)
    given = [()] * B if primers is None else primers
    starts = [[int(symbol) for symbol in primer] for primer in given]
    if len(starts) != B or (constraints is not None and len(constraints) != B):
        raise ValueError(f"found {B} generators; expected as many primers and constraints")
    for constraint, start in zip(constraints or (), starts, strict=False):
        for symbol in start:
            constraint.advance(symbol)
    first = np.array([len(start) for start in starts])
    # Room for a window of nothing before the first symbol; the end where nothing is drawn.
    history = np.full((B, WINDOW + max(first, default=0) + length), end, np.int32)
    history[:, :WINDOW] = -1
    for row, start in enumerate(starts):
        history[row, WINDOW : WINDOW + len(start)] = start
    log_likelihood, stop, ended = np.zeros(B), first + length, np.zeros(B, bool)
    turns = {*first.tolist(), *stop.tolist()}  # places at which other rows draw than before
    rows, sources = np.arange(0), rngs
    plain = temperature >= SURE and not repetition_penalty and top_k is None and top_p is None
    symbols, usual = np.full(B, end, np.int32), None
    for place in range(history.shape[1] - WINDOW):
        now = WINDOW + place
        logits = step(symbols)
        if place in turns:
            rows = np.flatnonzero((first <= place) & (place < stop))
            sources = [rngs[row] for row in rows]
        if never and usual is None:
            usual = np.ones(logits.shape[1], np.bool_)
            usual[list(never)] = False
        if len(rows):
            seen = logits if len(rows) == B else logits[rows]
            allowed = usual
            if constraints is not None:
                allowed = np.array([constraints[row].allowed() for row in rows.tolist()])
                if usual is not None:
                    allowed &= usual
            u = uniform(sources)
            found = kernels.draw(seen, allowed, u, temperature, min_p or 0.0) if plain else None
            if found is not None:
                chosen, gained = found
            else:
                z = ln_p = log_probabilities(seen)
                if repetition_penalty:
                    before = repetitions(history[rows, place:now], z.shape[1])
                    z = z - repetition_penalty * np.maximum(before - 1, 0)
                if allowed is not None:
                    z = np.where(allowed, z, -np.inf)
                    _check_possible(z, rows, history[:, WINDOW:now], first)
                p = probabilities(z, temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)
                chosen = pick(p, u)
                gained = ln_p[np.arange(len(rows)), chosen]
            history[rows, now] = chosen
            log_likelihood[rows] += gained
            if constraints is not None:
                for row, symbol in zip(rows.tolist(), chosen.tolist(), strict=True):
                    constraints[row].advance(symbol)
            over = rows[chosen == end]
            if len(over):
                ended[over], stop[over] = True, place + 1
                turns.add(place + 1)
        if place + 1 in turns and (stop <= place + 1).all():
            break
        symbols = history[:, now]
    return [
        Sequence(
            history[row, WINDOW : WINDOW + stop[row] - ended[row]].tolist(),
            float(log_likelihood[row]),
            int(stop[row] - first[row]),
            bool(ended[row]),
        )
        for row in range(B)
    ]


def log_probabilities(logits: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return ``z_v − ln Σ e^{z_u}`` of each row ``(B, V)``.

    Raises
    ------
    ModelError
        When a row holds NaN or +∞, or −∞ alone.
    """
    z = np.array(logits, np.float64)
    top = z.max(1, keepdims=True)
    if not np.isfinite(top).all():
        raise ModelError(
            "the network's outputs are not numbers: the model is damaged or its training diverged; "
            "train it again with a lower learning rate"
        )
    z -= top
    z -= np.log(np.exp(z).sum(1, keepdims=True))
    return z


def _check_possible(
    z: npt.NDArray[np.float64],
    rows: npt.NDArray[np.intp],
    before: npt.NDArray[np.int32],
    first: npt.NDArray[np.int_],
) -> None:
    """Raise a ModelError when a row of z ``(rows, V)`` leaves nothing to draw."""
    stuck = rows[z.max(1) == -np.inf]
    if len(stuck):
        row, place = stuck[0], before.shape[1]
        raise ModelError(
            f"nothing is allowed as symbol {place - first[row] + 1} of row {row}, after "
            f"{before[row, -8:].tolist()}"
        )
