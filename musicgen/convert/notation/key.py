"""Keys: the one that a piece is in, and how a key is written."""

from __future__ import annotations

from musicgen.formats.abc.fields import MODES
from musicgen.notation.spelling import LETTERS

__all__ = ["find_key", "key_text"]

MAJOR = (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400)
MINOR = (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330)
"""How often each degree of the chromatic scale occurs in major and in minor."""

_SHIFTS = dict(MODES.values())


def find_key(durations: list[float]) -> tuple[int, str]:
    """Choose the major or minor key whose profile correlates best with a piece [1]_.

    Parameters
    ----------
    durations
        How long each of the 12 pitch classes sounds, C first.

    Returns
    -------
    tuple
        Sharps or (negative) flats of the signature, and ``"major"`` or ``"minor"``.

    References
    ----------
    .. [1] The method is that of Krumhansl, "Cognitive Foundations of Musical Pitch", 1990; the
       profiles are those of Temperley, "Music and Probability", 2007.

    Examples
    --------
    >>> find_key([3, 0, 1, 0, 2, 1, 0, 3, 0, 1, 0, 1])
    (0, 'major')
    >>> find_key([2, 0, 1, 0, 3, 0, 0, 0, 1, 3, 0, 1])
    (0, 'minor')
    """
    best = max(
        ((tonic, mode) for mode in ("major", "minor") for tonic in range(12)),
        key=lambda key: _fit(durations, *key),
    )
    tonic, mode = best
    return (tonic * 7 + 5 - 3 * (mode == "minor")) % 12 - 5, mode


def _fit(durations: list[float], tonic: int, mode: str) -> float:
    profile = MAJOR if mode == "major" else MINOR
    mean, level = sum(durations) / 12, sum(profile) / 12
    varied = sum((weight - level) ** 2 for weight in profile) ** 0.5
    common = sum(
        (durations[(tonic + at) % 12] - mean) * (weight - level)
        for at, weight in enumerate(profile)
    )
    return common / varied


def key_text(fifths: int, mode: str) -> str:
    """Write the value of ``K:``; a mode that ABC does not know is written as major.

    Examples
    --------
    >>> key_text(2, "major"), key_text(-3, "minor"), key_text(1, "dorian"), key_text(-7, "major")
    ('D', 'Cm', 'Ador', 'Cb')
    """
    tonic = fifths - _SHIFTS.get(mode, 0) + 1
    sign = {1: "#", 0: "", -1: "b"}[tonic // 7]
    short = {"major": "", "minor": "m"}.get(mode, mode[:3] if mode in _SHIFTS else "")
    return f"{LETTERS[tonic % 7]}{sign}{short}"
