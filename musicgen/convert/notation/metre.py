"""Metre: how bars divide, and which metre and which upbeat fit a piece that does not say."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from musicgen.formats.abc.fields import Meter

__all__ = ["beam", "beat", "find_metre", "find_pickup", "levels"]

CANDIDATES = (Meter(4, 4), Meter(3, 4), Meter(6, 8))
COMMON = 0.12
"""Advantage of 4/4, which is the metre of most pieces."""

LAST_NOTE, NO_PICKUP = 0.1, 0.07
"""Advantage of upbeats after which the last note starts with a beat, and of none at all."""

SIXTEENTH = Fraction(1, 16)

Onsets = list[tuple[Fraction, Fraction]]
"""Time and length of the notes of a piece in whole notes, sorted."""


def beam(metre: Meter) -> Fraction:
    """Return the time that one beam covers, in whole notes.

    Examples
    --------
    >>> [str(beam(Meter(*metre))) for metre in ((4, 4), (3, 4), (6, 8), (5, 8))]
    ['1/2', '1/4', '3/8', '1/4']
    """
    unit = Fraction(1, metre.denominator)
    if metre.denominator >= 8:
        return unit * (3 if metre.numerator % 3 == 0 else min(2, metre.numerator))
    return unit * 2 if metre.denominator == 4 and metre.numerator % 4 == 0 else unit


def beat(metre: Meter) -> Fraction:
    """Return the beat in whole notes: dotted in 6/8 and its like, else a quarter note or longer.

    Examples
    --------
    >>> [str(beat(Meter(*metre))) for metre in ((4, 4), (3, 2), (6, 8), (5, 8))]
    ['1/4', '1/2', '3/8', '1/4']
    """
    if metre.is_compound and metre.denominator >= 8:
        return beam(metre)
    return Fraction(1, min(metre.denominator, 4))


def levels(metre: Meter) -> list[Fraction]:
    """Return the lengths into which a bar divides, down to eighths or the metre's unit.

    Examples
    --------
    >>> [str(length) for length in levels(Meter(6, 8))]
    ['3/4', '3/8', '1/8']
    """
    found, length = {metre.bar: None}, beam(metre)
    while length >= min(Fraction(1, 8), Fraction(1, metre.denominator)):
        found[length] = None
        length /= 3 if length.numerator == 3 else 2
    return list(found)


def find_metre(onsets: Onsets) -> Meter:
    """Choose 4/4, 3/4 or 6/8 by autocorrelation [1]_.

    Music repeats its rhythm after a beat, a bar, two and four bars. Summed up is how much of what
    starts comes back then, longer notes counting more.

    References
    ----------
    .. [1] Brown, "Determination of the meter of musical scores by autocorrelation", Journal of
       the Acoustical Society of America 94 (4), 1993.
    """
    weights: dict[Fraction, float] = {}
    for time, length in onsets:
        weights[time] = weights.get(time, 0.0) + float(min(length, Fraction(1, 2)))

    def fit(metre: Meter) -> float:
        common = sum(
            weight * weights.get(time + lag, 0.0)
            for time, weight in weights.items()
            for lag in (beat(metre), metre.bar, 2 * metre.bar, 4 * metre.bar)
        )
        total = sum(weight * weight for weight in weights.values())
        return common / total + COMMON * (metre == CANDIDATES[0]) if total else 0.0

    return max(CANDIDATES, key=fit)


def find_pickup(onsets: Onsets, metre: Meter) -> Fraction:
    """Estimate the upbeat before the first full bar, in whole notes; 0 for none.

    The lengths of the notes that start on each place of the bar are correlated with the strength
    of that place, for every upbeat of up to half a bar. A last note that starts with a beat counts
    in favour. A piece that starts with silence has its upbeat in a full bar.
    """
    if not onsets or onsets[0][0] > 0:
        return Fraction(0)
    step = min(SIXTEENTH, Fraction(1, metre.denominator))
    places = int(metre.bar / step)
    weights = [0.0] * places
    sums: dict[Fraction, Fraction] = defaultdict(Fraction)
    for time, length in onsets:
        sums[time % metre.bar] += min(length, metre.bar)
    for place, total in sums.items():
        if place % step == 0:
            weights[int(place / step)] = float(total)
    sizes = levels(metre)
    strengths = [float(sum(at * step % size == 0 for size in sizes)) for at in range(places)]
    last = onsets[-1][0]

    def fit(pickup: Fraction) -> float:
        at = int(pickup / step)
        found = _correlation(weights[at:] + weights[:at], strengths)
        in_time = (last - pickup) % beam(metre) == 0
        return found + LAST_NOTE * in_time + NO_PICKUP * (pickup == 0)

    return max((at * sizes[-1] for at in range(int(metre.bar / sizes[-1] / 2) + 1)), key=fit)


def _correlation(a: list[float], b: list[float]) -> float:
    """Return Pearson's correlation; 0 where either does not vary."""
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    from_a, from_b = [x - mean_a for x in a], [x - mean_b for x in b]
    scale = (sum(x * x for x in from_a) * sum(x * x for x in from_b)) ** 0.5
    return sum(x * y for x, y in zip(from_a, from_b, strict=True)) / scale if scale else 0.0
