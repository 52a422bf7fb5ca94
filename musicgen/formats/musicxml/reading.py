"""MusicXML file → `Music`."""

from __future__ import annotations

import warnings
from collections import Counter
from fractions import Fraction
from functools import reduce
from itertools import chain
from math import lcm
from typing import TYPE_CHECKING

from musicgen.errors import FormatError, FormatWarning
from musicgen.formats.musicxml.bars import Bar, metre_changes
from musicgen.formats.musicxml.container import load, unpack
from musicgen.formats.musicxml.document import Element, by_part, parse
from musicgen.formats.musicxml.measures import PartReader
from musicgen.formats.musicxml.repeats import order_of_play
from musicgen.formats.musicxml.score import Measure, Part, Signs, Sound
from musicgen.music import KeySignature, Music, Note, Tempo, TimeSignature, Track

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["read"]

RESOLUTION = 480
FINEST_RESOLUTION = 2**20
MOST_NOTES = 5_000_000
MOST_MEASURES = 2_000_000
FINEST = 2**40
DRUM_CHANNEL = 10


def read(path: Path, *, unfold: bool = True) -> list[Music]:
    """Read a score: each part becomes one `Track`, at sounding pitch.

    Tied notes are joined. Grace notes and cue notes are left out, and a tremolo or trill is the
    note under it. A measure lasts as long as its longest part; one that is shorter than its metre
    gets a metre of its own length, so that all bar lines stay where the score has them. Loudness
    follows the dynamic marks, *mezzo forte* before the first one. Resolution is 480 ticks a quarter
    note, or the least multiple of it in which every note is exact.

    Parameters
    ----------
    path
        A score as text, ordered by part or by time, or packed as ``.mxl``; the content tells.
    unfold
        Play repeats, variant endings, D.C. and D.S.; or else read the page once through.

    Returns
    -------
    list of Music
        The one piece.

    Raises
    ------
    FormatError
        When the file is not MusicXML, is damaged, or is made to exhaust its reader.
    OSError
        When it cannot be read.

    Warns
    -----
    FormatWarning
        When something was repaired or left out.
    """
    notices: list[str] = []
    repairs: Counter[str] = Counter()
    try:
        root = parse(unpack(load(path), notices))
        parts = _parts(root, repairs)
        music = _music(parts, repairs, unfold=unfold)
    except FormatError as error:
        error.path = path
        raise
    music.title = root.words("work", "work-title") or root.words("movement-title")
    notices += [f"{what}: {count}" for what, count in repairs.items()]
    for notice in notices:
        warnings.warn(f"{path}: {notice}", FormatWarning, stacklevel=2)
    return [music]


def _parts(root: Element, repairs: Counter[str]) -> list[Part]:
    entries = root.find("part-list")
    known = (
        {} if entries is None else {e.attributes.get("id"): e for e in entries.all("score-part")}
    )
    parts = []
    for part, measures in by_part(root):
        entry = known.get(part.attributes.get("id")) or Element("score-part", {}, 0, 0)
        instruments = list(entry.all("midi-instrument"))
        percussion = {}
        for instrument in instruments:
            number = instrument.number("midi-unpitched")
            if number is not None and 1 <= number <= 128:
                percussion[instrument.attributes.get("id", "")] = int(number) - 1
        reader = PartReader(percussion, repairs)
        content = [reader.read(measure) for measure in measures]
        said = instruments[0].number("midi-program") if instruments else None
        program = int(said) - 1 if said is not None and 1 <= said <= 128 else 0
        is_drum = reader.unpitched > reader.pitched or any(
            instrument.number("midi-channel") == DRUM_CHANNEL for instrument in instruments
        )
        parts.append(Part(entry.words("part-name"), program, is_drum, content))
    return parts


def _music(parts: Sequence[Part], repairs: Counter[str], *, unfold: bool) -> Music:
    length = max((len(part.measures) for part in parts), default=0)
    _check(length * len(parts), MOST_MEASURES, "the score has more than {:,} measures")
    page = _page(parts, length)
    order = order_of_play([measure.signs for measure in page]) if unfold else list(range(length))
    counts = [0] * length
    for part in parts:
        for at, measure in enumerate(part.measures):
            counts[at] += len(measure.sounds)
    _check(len(order) * len(parts), MOST_MEASURES, "the repeats unfold to more than {:,} measures")
    sounding = sum(counts[at] for at in order)
    _check(sounding, MOST_NOTES, "the repeats unfold to more than {:,} notes")
    bars, start = [], Fraction(0)
    for at in order:
        bars.append(Bar(start, page[at].length, page[at].metre))
        start += page[at].length
        _check(start.denominator, FINEST, "times are finer than 1/{:,} of a quarter note")
    voices = [_joined(_played(part, order, bars)) for part in parts]
    resolution = _resolution(voices, repairs)

    def ticks(quarters: Fraction) -> int:
        return round(quarters * resolution)

    keys: list[KeySignature] = []
    tempos: dict[int, Tempo] = {}
    fermatas: set[int] = set()
    for at, bar in zip(order, bars, strict=True):
        measure = page[at]
        changes = [] if measure.key is None else [(Fraction(0), measure.key)]
        for offset, (fifths, mode) in changes + measure.keys:
            if not keys or (keys[-1].fifths, keys[-1].mode) != (fifths, mode):
                keys.append(KeySignature(ticks(bar.start + offset), fifths, mode))
        for offset, qpm in measure.tempos:
            time = ticks(bar.start + offset)
            tempos[time] = Tempo(time, qpm)
        fermatas.update(ticks(bar.start + offset) for offset in measure.fermatas)
    metres = [TimeSignature(ticks(time), *metre) for time, metre in metre_changes(bars)]
    tracks = []
    for part, voice in zip(parts, voices, strict=True):
        notes = []
        for sound in voice:
            time = ticks(sound.offset)
            end = max(ticks(sound.offset + sound.duration), time + 1)
            notes.append(Note(time, sound.pitch, end - time, sound.velocity))
        tracks.append(Track(part.program, part.is_drum, part.name, sorted(notes)))
    return Music(
        resolution, sorted(tempos.values()), metres, keys, tracks, fermatas=sorted(fermatas)
    )


def _check(number: int, limit: int, message: str) -> None:
    if number > limit:
        raise FormatError(message.format(limit), hint="this is no score, or made to harm")


def _page(parts: Sequence[Part], length: int) -> list[Measure]:
    """Put together what the parts say about each measure; the first to speak is right."""
    page = []
    metred = next((p for p in parts if any(m.metre for m in p.measures)), None)
    keyed = next((p for p in parts if any(m.key or m.keys for m in p.measures)), None)
    for at in range(length):
        here = [part.measures[at] for part in parts if at < len(part.measures)]
        # Where no metre tells how long a rest is, the notes do.
        told = [measure for measure in here if measure.sounds or measure.metre] or here
        whole = Measure(max(measure.length for measure in told))
        if metred is not None:
            whole.metre = metred.measures[min(at, len(metred.measures) - 1)].metre
        if keyed is not None and at < len(keyed.measures):
            whole.key, whole.keys = keyed.measures[at].key, keyed.measures[at].keys
        said: dict[Fraction, float] = {}
        for measure in here:
            said = dict(measure.tempos) | said
        whole.tempos = list(said.items())
        whole.fermatas = {offset for measure in here for offset in measure.fermatas}
        signs = [measure.signs for measure in here]
        whole.signs = Signs(
            any(sign.starts_repeat for sign in signs),
            max(sign.times for sign in signs),
            next((sign.ending for sign in signs if sign.ending), ()),
            *(any(getattr(sign, name) for sign in signs) for name in Signs.__slots__[3:]),
        )
        page.append(whole)
    return page


def _played(part: Part, order: Sequence[int], bars: Sequence[Bar]) -> list[Sound]:
    return [
        sound._replace(offset=bar.start + sound.offset)
        for at, bar in zip(order, bars, strict=True)
        if at < len(part.measures)
        for sound in part.measures[at].sounds
    ]


def _joined(sounds: list[Sound]) -> list[Sound]:
    """Join each tied note with the one that follows it at the same pitch."""
    joined: list[Sound] = []
    waiting: dict[tuple[int, Fraction], list[int]] = {}
    for sound in sorted(sounds, key=lambda sound: sound.offset):
        place = len(joined)
        candidates = waiting.get((sound.pitch, sound.offset)) if sound.continues else None
        if candidates:
            own = [at for at in candidates if joined[at].voice == sound.voice]
            place = (own or candidates)[0]
            candidates.remove(place)
            first = joined[place]
            joined[place] = first._replace(duration=sound.offset + sound.duration - first.offset)
        else:
            joined.append(sound)
        if sound.is_tied:
            end = sound.offset + sound.duration
            waiting.setdefault((sound.pitch, end), []).append(place)
    return joined


def _resolution(voices: Sequence[Sequence[Sound]], repairs: Counter[str]) -> int:
    times = {
        number.denominator
        for sound in chain.from_iterable(voices)
        for number in (sound.offset, sound.duration)
    }
    resolution = reduce(lambda a, b: a if a > FINEST_RESOLUTION else lcm(a, b), times, RESOLUTION)
    if resolution <= FINEST_RESOLUTION:
        return resolution
    repairs["times rounded to ticks of a quarter note"] = RESOLUTION * 21
    return RESOLUTION * 21
