"""Which metre and which upbeat fit a piece that does not say."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from musicgen.notation.metre import Metre, beam, beat, levels

__all__ = ["find_metre", "find_pickup"]

CANDIDATES = (Metre(4, 4), Metre(3, 4), Metre(6, 8))
COMMON = 0.12
"""Advantage of 4/4, which is the metre of most pieces."""

LAST_NOTE, NO_PICKUP = 0.1, 0.07
"""Advantage of upbeats after which the last note starts with a beat, and of none at all."""

SIXTEENTH = Fraction(1, 16)

Onsets = list[tuple[Fraction, Fraction]]
"""Time and length of the notes of a piece in whole notes, sorted."""


def find_metre(onsets: Onsets) -> Metre:
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

    def fit(metre: Metre) -> float:
        common = sum(
            weight * weights.get(time + lag, 0.0)
            for time, weight in weights.items()
            for lag in (beat(metre), metre.bar, 2 * metre.bar, 4 * metre.bar)
        )
        total = sum(weight * weight for weight in weights.values())
        return common / total + COMMON * (metre == CANDIDATES[0]) if total else 0.0

    return max(CANDIDATES, key=fit)


def find_pickup(onsets: Onsets, metre: Metre) -> Fraction:
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
