"""What the 128 programs of General MIDI sound like: a small table."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Struck", "Sustained", "Timbre", "timbre"]


class Struck(NamedTuple):
    """A tone that is struck or plucked once and dies away.

    Attributes
    ----------
    slope
        Partial k starts with an amplitude of k to the power of −`slope`.
    place
        Where the string is struck, as a fraction of its length: partials with a node there are
        silent. 0 for all partials.
    stiffness
        Inharmonicity of a string: partial k sounds at k √(1 + stiffness k²) times the fundamental.
    ratios
        Frequencies of the partials of a bar or bell, instead of those of a string.
    decay
        Seconds in which a fundamental of 262 Hz falls to 1/e; higher ones fall faster.
    damping
        How much faster partials fall, per kHz.
    after
        Share of the strings that fall four times as slowly, a little out of tune.
    knock
        Amplitude of the noise of the hammer.
    attack, release
        Seconds of rise, and of fall once the note is over.
    gain
        Loudness against the other timbres.
    """

    slope: float = 1.2
    place: float = 0.0
    stiffness: float = 0.0
    ratios: tuple[float, ...] = ()
    decay: float = 1.0
    damping: float = 0.5
    after: float = 0.0
    knock: float = 0.0
    attack: float = 0.003
    release: float = 0.12
    gain: float = 1.0


class Sustained(NamedTuple):
    """A tone that lasts as long as the note.

    Attributes
    ----------
    partials
        Amplitudes of the first partials; the following ones fall with the square of their number.
    formants
        Centres in Hz, bandwidths in Hz and gains of resonances of the body or mouth.
    attack, decay, sustain, release
        Seconds of rise, seconds of fall to the level `sustain` (a share of the peak), seconds of
        fall once the note is over.
    vibrato
        Depth in cents.
    players
        How many play together, each a little out of tune.
    breath
        Amplitude of the noise of air or bow.
    gain
        Loudness against the other timbres.
    """

    partials: tuple[float, ...]
    formants: tuple[tuple[float, float, float], ...] = ()
    attack: float = 0.05
    decay: float = 0.3
    sustain: float = 0.8
    release: float = 0.1
    vibrato: float = 0.0
    players: int = 1
    breath: float = 0.0
    gain: float = 1.0


Timbre = Struck | Sustained

SAW = tuple(1 / k for k in range(1, 17))
ODD = tuple(1 / k if k % 2 else 0.05 / k for k in range(1, 16))
VIOLIN = ((290.0, 80.0, 1.0), (700.0, 250.0, 1.2), (1100.0, 400.0, 0.9), (2600.0, 900.0, 0.7))
VOWEL_A = ((700.0, 130.0, 2.2), (1150.0, 160.0, 1.3), (2700.0, 350.0, 0.6), (3300.0, 400.0, 0.4))
VOWEL_O = ((400.0, 120.0, 2.2), (800.0, 150.0, 1.0), (2600.0, 350.0, 0.25))

PIANO = Struck(
    slope=1.1, place=0.12, stiffness=4e-4, decay=0.9, damping=0.45, after=0.2, knock=0.05
)
HARPSICHORD = Struck(slope=0.7, place=0.15, decay=0.7, damping=0.4, attack=0.001)
ELECTRIC_PIANO = Struck(slope=2.0, place=0.4, decay=1.2, damping=1.5, release=0.15)
BELL = Struck(
    slope=0.9, ratios=(1.0, 2.76, 5.4, 8.93), decay=1.4, damping=0.25, attack=0.001, release=0.4
)
BAR = Struck(slope=1.6, ratios=(1.0, 3.93, 9.24), decay=0.25, damping=0.6, knock=0.08)
VIBRAPHONE = BAR._replace(decay=1.5, damping=0.3, knock=0.02, release=0.3)
GUITAR = Struck(slope=1.1, place=0.18, stiffness=5e-5, decay=0.8, damping=0.9, knock=0.02)
STEEL_GUITAR = GUITAR._replace(slope=0.9, place=0.11, decay=1.1, damping=0.5)
BASS = Struck(slope=1.3, place=0.22, stiffness=1e-4, decay=1.0, damping=1.5)
HARP = GUITAR._replace(place=0.45, slope=1.5, decay=1.2, release=0.5)
PIZZICATO = GUITAR._replace(place=0.3, slope=1.4, decay=0.18, damping=1.0, release=0.2)
TIMPANI = Struck(slope=0.8, ratios=(1.0, 1.5, 1.98, 2.44), decay=0.5, damping=2.0, knock=0.1)
DRAWBARS = Sustained(
    (1.0, 0.8, 0.5, 0.45, 0.0, 0.25, 0.0, 0.2), attack=0.012, sustain=1.0, release=0.05, gain=0.8
)
CHURCH_ORGAN = DRAWBARS._replace(
    partials=(1.0, 0.7, 0.35, 0.5, 0.15, 0.2, 0.05, 0.25), attack=0.04, release=0.15, players=2
)
ACCORDION = Sustained(SAW[:10], players=2, attack=0.04, sustain=0.95, release=0.07, gain=0.8)
SOLO_STRING = Sustained(SAW, VIOLIN, attack=0.07, vibrato=14, breath=0.012, release=0.12)
STRINGS = Sustained(
    SAW, VIOLIN, attack=0.1, vibrato=10, players=3, sustain=0.9, release=0.25, breath=0.01
)
CHOIR = Sustained(
    SAW, VOWEL_A, attack=0.08, vibrato=12, players=3, sustain=0.75, release=0.2, breath=0.012
)
OOHS = CHOIR._replace(formants=VOWEL_O)
TRUMPET = Sustained(
    (0.8, 1.0, 0.9, 0.75, 0.6, 0.45, 0.35, 0.25, 0.18, 0.12),
    ((1200.0, 700.0, 0.8),), attack=0.035, decay=0.15, sustain=0.75, vibrato=4, release=0.08,
)  # fmt: skip
HORN = Sustained(
    (1.0, 0.8, 0.5, 0.25, 0.12, 0.06), ((400.0, 200.0, 0.6),), attack=0.06, release=0.12
)
CLARINET = Sustained(ODD, ((1500.0, 600.0, 0.5),), attack=0.04, sustain=0.9, breath=0.006)
OBOE = Sustained(
    (0.7, 0.9, 1.0, 0.6, 0.45, 0.3, 0.2, 0.12), ((1200.0, 300.0, 1.0), (3000.0, 600.0, 0.5)),
    attack=0.04, vibrato=8,
)  # fmt: skip
SAXOPHONE = OBOE._replace(partials=(1.0, 0.8, 0.6, 0.4, 0.3, 0.2), breath=0.02, vibrato=10)
FLUTE = Sustained(
    (1.0, 0.4, 0.18, 0.06, 0.03, 0.01), attack=0.06, sustain=0.9, vibrato=9, breath=0.03
)
LEAD = Sustained(SAW, attack=0.01, sustain=0.85, vibrato=5, release=0.06, gain=0.75)
SQUARE = LEAD._replace(partials=ODD)
PAD = Sustained(
    (1.0, 0.5, 0.3, 0.2, 0.1, 0.08), attack=0.25, players=3, vibrato=6, sustain=0.95, release=0.5
)

FAMILIES: tuple[Timbre, ...] = (
    PIANO, BELL, DRAWBARS, STEEL_GUITAR, BASS, SOLO_STRING, STRINGS, TRUMPET,
    CLARINET, FLUTE, LEAD, PAD, PAD, STEEL_GUITAR, BELL, PAD,
)  # fmt: skip
EXCEPTIONS: dict[int, Timbre] = {
    4: ELECTRIC_PIANO, 5: ELECTRIC_PIANO, 6: HARPSICHORD, 7: HARPSICHORD,
    11: VIBRAPHONE, 12: BAR, 13: BAR, 15: HARPSICHORD,
    19: CHURCH_ORGAN, 20: ACCORDION, 21: ACCORDION, 22: ACCORDION, 23: ACCORDION, 24: GUITAR,
    45: PIZZICATO, 46: HARP, 47: TIMPANI, 52: CHOIR, 53: OOHS, 54: CHOIR,
    57: HORN, 58: HORN, 60: HORN,
    64: SAXOPHONE, 65: SAXOPHONE, 66: SAXOPHONE, 67: SAXOPHONE, 68: OBOE, 69: OBOE, 70: OBOE,
    80: SQUARE, 85: OOHS, 91: CHOIR, 107: HARP, 108: BAR, 109: ACCORDION, 110: SOLO_STRING,
    111: OBOE, 115: BAR, 116: TIMPANI, 117: TIMPANI, 118: TIMPANI,
}  # fmt: skip


def timbre(program: int) -> Timbre:
    """Return the timbre of a program, or that of its family of eight.

    Examples
    --------
    >>> timbre(73).partials[:2]
    (1.0, 0.4)
    """
    return EXCEPTIONS.get(program, FAMILIES[program // 8])
