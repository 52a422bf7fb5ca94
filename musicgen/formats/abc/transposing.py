"""A score moved up or down, key and spelling included."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from musicgen.errors import FormatError
from musicgen.formats.abc.fields import ACCIDENTALS, parse_key
from musicgen.formats.abc.harmony import parse_harmony
from musicgen.formats.abc.interpretation import MIDDLE_C, interpret
from musicgen.formats.abc.score import Bar, Field, Note, Score, Sound
from musicgen.formats.abc.transposition import key_text
from musicgen.notation.spelling import LETTERS, SEMITONES

if TYPE_CHECKING:
    from musicgen.formats.abc.events import Event

__all__ = ["Interval", "signature_shift", "tonic", "transposed", "transposed_key"]

MAX_SIGNATURE = 7
STEPS = "CDEFGAB"

_SIGNS = {alter: sign for sign, alter in ACCIDENTALS.items()}
_TONIC = re.compile(r"([A-G])([#b]?)")
_KEY = re.compile(
    r"(?:none|(?P<tonic>[A-G][#b]?)(?P<mode>m|[a-z]{3})?)(?P<exp> exp)?"
    r"(?P<signs>(?: (?:\^\^?|__?|=)[a-g])*)(?P<rest>.*)"
)
_ALTERATION = re.compile(r"(\^\^?|__?|=)([a-g])")
_SYMBOL = re.compile(r"(\(?)([A-G])([#♯b♭]?)(.*?)(?:/([A-Ga-g])([#♯b♭]?))?(\)?)")
_ALTERS = {"#": 1, "♯": 1, "b": -1, "♭": -1}


class Interval(NamedTuple):
    """By how much notes move, and how that is written.

    Attributes
    ----------
    semitones
        How they sound.
    fifths
        How far their names move on the line of fifths … F C G D …: 7 semitones for each, but for
        whole octaves.
    """

    semitones: int
    fifths: int

    @property
    def steps(self) -> int:
        """By how many letters notes move."""
        return 4 * self.fifths + 7 * ((self.semitones - 7 * self.fifths) // 12)

    def name(self, letter: str, alter: int) -> tuple[str, int]:
        """Move a letter and its alteration in semitones.

        Examples
        --------
        >>> Interval(2, 2).name("E", 0), Interval(1, -5).name("E", 0)
        (('F', 1), ('F', 0))
        """
        alter, index = divmod(LETTERS.index(letter) + 7 * alter + self.fifths, 7)
        return LETTERS[index], alter

    def note(self, note: Note) -> Note:
        """Move a written note; one without an accidental keeps to the moved key.

        Raises
        ------
        ValueError
            When it would need three sharps or flats.
        """
        return Note(
            *_moved(self, note.accidental, note.letter, note.octave), note.length, note.tied
        )

    def within(self, fifths: int) -> Interval:
        """Return the interval of equal sound that moves a signature to one of at most seven."""
        if abs(fifths + self.fifths) <= MAX_SIGNATURE:
            return self
        return Interval(self.semitones, signature_shift(fifths, self.semitones))


def signature_shift(fifths: int, semitones: int) -> int:
    """Find by how many fifths a key signature moves, so that it ends with the fewest signs.

    Examples
    --------
    >>> signature_shift(0, 1), signature_shift(2, -2), signature_shift(-3, 12)
    (-5, -2, 0)
    """
    around = 7 * semitones % 12
    return min(range(around - 24, around + 25, 12), key=lambda k: (abs(fifths + k), abs(k)))


def tonic(value: str) -> int | None:
    """Find the tonic that ``K:`` names, on the line of fifths, on which C stands at 0.

    Examples
    --------
    >>> tonic("Ador"), tonic("Bb"), tonic("none"), tonic("HP")
    (3, -2, None, 3)
    """
    match = _TONIC.match("A" if value[:2] in ("HP", "Hp") else value.strip())
    if match is None:
        return None
    return LETTERS.index(match[1]) - 1 + 7 * _ALTERS.get(match[2], 0)


def transposed(score: Score, semitones: int, fifths: int | None = None) -> Score:
    r"""Move a score; what is no music stays.

    Every letter moves by the same number of steps, and every alteration stays what it is against
    the key. Without a signature (``K:none``), the moved tune gets that of the major key.
    Percussion stays where it is.

    Parameters
    ----------
    score
        Left as it is.
    semitones
        How far it moves up.
    fifths
        How the signature moves, ``7 · fifths ≡ semitones`` modulo 12; None for the way to the
        fewest sharps or flats.

    Raises
    ------
    FormatError
        When a pitch leaves 0 to 127, or a note would need three sharps or flats.

    Examples
    --------
    >>> from musicgen.formats.abc import parse, print_score
    >>> from musicgen.music import Tune
    >>> print(print_score(transposed(parse(Tune('X:1\nK:D\n"A7/G"^G=f|')), 1)))
    X:1
    K:Eb
    "Bb7/Ab"=A_g|
    """
    key = next((entry.value for entry in score.header if entry.key == "K"), "none")
    if fifths is None:
        fifths = signature_shift(parse_key(key).fifths, semitones)
    interval = Interval(semitones, fifths)
    if interval == (0, 0):
        return score
    events = {id(event.element): event for part in interpret(score) for event in part.events}
    body = [
        _field(element, interval)
        if isinstance(element, Field)
        else _sound(element, events.get(id(element)), interval)
        if isinstance(element, Sound)
        else replace(element, quotes=tuple(_symbol(text, interval) for text in element.quotes))
        if isinstance(element, Bar)
        else element
        for element in score.body
    ]
    return Score([_field(entry, interval) for entry in score.header], body, score.problems)


def transposed_key(value: str, interval: Interval) -> str:
    """Move the value of ``K:``; one that names no key but a clef or the like stays.

    Examples
    --------
    >>> down = Interval(-2, -2)
    >>> [transposed_key(key, down) for key in ("Ador", "D exp _b ^f", "HP", "none", "bass")]
    ['Gdor', 'C exp _b _a', 'Gmix', 'Bb', 'bass']
    """
    key = parse_key(value)
    if not key.text or interval.fifths == 0:
        return value
    text = key_text(value)
    match = _KEY.fullmatch("Amix" + text[2:] if text[:2] in ("HP", "Hp") else text)
    if match is None:
        return value
    interval = interval.within(key.fifths)
    letter, alter = interval.name(*_named(match["tonic"] or "C"))
    named = [(letter.upper(), ACCIDENTALS[sign]) for sign, letter in
             _ALTERATION.findall(match["signs"])]  # fmt: skip
    if match["exp"]:
        # Letters that the field passes over are natural, which the moved ones need not be.
        named = [(letter, key.alterations.get(letter, 0)) for letter in LETTERS]
    moved = [interval.name(*name) for name in named]
    signs = [f" {_sign(alter)}{letter.lower()}" for letter, alter in moved
             if alter or not match["exp"]]  # fmt: skip
    tonic = letter + "#" * alter + "b" * -alter
    return f"{tonic}{match['mode'] or ''}{match['exp'] or ''}{''.join(signs)}{match['rest']}"


@lru_cache(maxsize=4096)
def _moved(interval: Interval, accidental: str, letter: str, octave: int) -> tuple[str, str, int]:
    octave, step = divmod(STEPS.index(letter) + 7 * octave + interval.steps, 7)
    if accidental:
        accidental = _sign(interval.name(letter, ACCIDENTALS[accidental])[1])
    return accidental, STEPS[step], octave


def _sign(alter: int) -> str:
    if alter not in _SIGNS:
        raise ValueError("a note would need three sharps or flats")
    return _SIGNS[alter]


def _field(entry: Field, interval: Interval) -> Field:
    if entry.key != "K":
        return entry
    return replace(entry, value=transposed_key(entry.value, interval))


def _sound(sound: Sound, event: Event | None, interval: Interval) -> Sound:
    pitches = () if event is None else event.pitches
    if event is not None and event.key is not None:
        interval = interval.within(event.key.fifths)
    try:
        if event is not None and event.instrument.is_drum:
            struck = zip(sound.notes, pitches, strict=True)
            return replace(sound, notes=tuple(_spelled(note, pitch) for note, pitch in struck))
        for pitch in pitches:
            if not 0 <= pitch + interval.semitones <= 127:
                raise ValueError(
                    f"pitch {pitch} moved by {interval.semitones} semitones is outside 0 to 127"
                )
        return replace(
            sound,
            notes=tuple(map(interval.note, sound.notes)),
            grace=tuple(map(interval.note, sound.grace)),
            quotes=tuple(_symbol(text, interval) for text in sound.quotes),
        )
    except ValueError as error:
        raise FormatError(
            str(error),
            line=sound.line,
            column=sound.column,
            hint="transpose by another interval",
        ) from None


def _spelled(note: Note, pitch: int) -> Note:
    """Write out the accidental that a note has from its key or bar."""
    alter = (pitch - MIDDLE_C - SEMITONES[note.letter] + 6) % 12 - 6
    if abs(alter) > 2:
        raise ValueError("percussion that is itself transposed cannot stay where it is")
    return replace(note, accidental=_sign(alter))


def _symbol(text: str, interval: Interval) -> str:
    """Move a chord symbol; any other text stays."""
    match = _SYMBOL.fullmatch(text)
    if match is None or parse_harmony(text) is None:
        return text
    before, root, sign, kind, bass, bass_sign, after = match.groups("")
    lowest = f"/{_chord_name(bass, bass_sign, interval)}" if bass else ""
    return f"{before}{_chord_name(root, sign, interval)}{kind}{lowest}{after}"


def _chord_name(letter: str, sign: str, interval: Interval) -> str:
    """Move the name of a chord, to one with a sharp or flat at most."""
    place = LETTERS.index(letter.upper()) + 7 * _ALTERS.get(sign, 0) + interval.fifths
    while not -7 <= place < 14:
        place += 12 if place < 0 else -12
    alter, index = divmod(place, 7)
    return LETTERS[index] + "#" * alter + "b" * -alter


def _named(tonic: str) -> tuple[str, int]:
    return tonic[0], _ALTERS.get(tonic[1:], 0)
