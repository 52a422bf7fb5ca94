"""One part of a score to be written: its staves and voices, measure by measure."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from functools import reduce
from math import gcd
from typing import TYPE_CHECKING, NamedTuple

from musicgen.formats.musicxml import markup
from musicgen.formats.musicxml.grid import UNITS, Bar
from musicgen.formats.musicxml.layout import by_bar
from musicgen.formats.musicxml.notation import Piece, write_voice
from musicgen.formats.musicxml.spelling import Accidentals, Spelling, spell
from musicgen.formats.musicxml.voices import VOICES_A_STAFF, Chord, Pitched, staves
from musicgen.music import KeySignature, Tempo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["PartWriter"]

NO_KEY = KeySignature(0, 0)
# A change of tempo by less than this share is heard and not printed.
SHOWN_CHANGE = 0.1


class _Layer(NamedTuple):
    """What one voice has in one measure, and the numbers of the voice and its staff."""

    voice: int
    staff: int
    pieces: list[Piece]


class PartWriter:
    """Writes one part.

    Parameters
    ----------
    name
        Its id.
    program
        General MIDI program.
    is_drum
        Whether its pitches name drums.
    bars
        The measures of the score.
    notes
        Start and end in units, and the note.
    """

    def __init__(
        self,
        name: str,
        program: int,
        is_drum: bool,
        bars: Sequence[Bar],
        notes: Sequence[tuple[int, int, Pitched]],
    ) -> None:
        self._name = name
        self._is_drum = is_drum
        self._bars = bars
        self._starts = [bar.start for bar in bars]
        self._keys: dict[int, KeySignature] = {}
        self._key_times: list[int] = []
        self._staves = staves(notes, program, is_drum=is_drum, span_of=self._span_of)
        self._layers: list[list[_Layer]] = [[] for _ in bars]
        for number, staff in enumerate(self._staves, 1):
            voices = [self._sorted_in(voice) for voice in staff.voices] or [{}]
            for place, bar in enumerate(bars):
                self._layers[place] += [
                    _Layer(
                        (number - 1) * VOICES_A_STAFF + index,
                        number,
                        write_voice(voice.get(place, []), bar),
                    )
                    for index, voice in enumerate(voices, 1)
                    if index == 1 or place in voice
                ]

    def lines(self, keys: dict[int, KeySignature], tempos: dict[int, Tempo]) -> Iterator[str]:
        """Yield the text of the part, one note a line.

        Parameters
        ----------
        keys, tempos
            Changes by units.

        Raises
        ------
        FormatError
            When there is no sign for a key or tempo.
        """
        self._keys, self._key_times = keys, list(keys)
        divisions = self._divisions([*keys, *tempos])
        key, shown = NO_KEY, 0.0
        first = 0 if self._bars[0].is_pickup else 1
        new_keys, new_tempos = by_bar(keys, self._bars), by_bar(tempos, self._bars)
        yield f' <part id="{self._name}">'
        for place, bar in enumerate(self._bars):
            implicit = ' implicit="yes"' if bar.is_pickup else ""
            yield f'  <measure number="{place + first}"{implicit}>'
            at_start = [change for offset, change in new_keys[place] if offset == 0]
            key = at_start[-1] if at_start else key
            yield from self._attributes(place, at_start, divisions)
            for offset, tempo in new_tempos[place]:
                is_shown = abs(tempo.qpm - shown) >= SHOWN_CHANGE * shown
                shown = tempo.qpm if is_shown else shown
                at = offset * divisions // UNITS
                yield markup.tempo(tempo, at, bar.metre, is_shown=is_shown)
            yield from self._notes(place, key, divisions)
            for offset, change in new_keys[place]:
                if offset:
                    rest = bar.end - bar.start - offset
                    yield markup.step("backup", rest, divisions)
                    yield f"   <attributes>{markup.key(change)}</attributes>"
                    yield markup.step("forward", rest, divisions)
                    key = change
            yield "  </measure>"
        yield " </part>"

    def _span_of(self, time: int) -> tuple[int, int]:
        bar = self._bars[bisect_right(self._starts, time) - 1]
        return time - (time - bar.start) % bar.span, bar.span

    def _sorted_in(self, voice: Sequence[Chord]) -> dict[int, list[Chord]]:
        """List the chords that sound in each measure."""
        found: dict[int, list[Chord]] = defaultdict(list)
        for chord in voice:
            first = bisect_right(self._starts, chord.start) - 1
            last = bisect_right(self._starts, chord.end - 1) - 1
            for place in range(first, last + 1):
                found[place].append(chord)
        return dict(found)

    def _divisions(self, times: Sequence[int]) -> int:
        lengths = {bar.end - bar.start for bar in self._bars}
        for layers in self._layers:
            lengths.update(p.end - p.start for layer in layers for p in layer.pieces)
        return UNITS // reduce(gcd, [*lengths, *times], UNITS)

    def _attributes(
        self, place: int, keys: Sequence[KeySignature], divisions: int
    ) -> Iterator[str]:
        bar = self._bars[place]
        out = [f"<divisions>{divisions}</divisions>"] if place == 0 else []
        out += [markup.key(change) for change in keys]
        if bar.is_new:
            beats, unit = bar.metre
            out.append(f"<time><beats>{beats}</beats><beat-type>{unit}</beat-type></time>")
        if place == 0:
            if len(self._staves) > 1:
                out.append(f"<staves>{len(self._staves)}</staves>")
            out += [
                markup.clef(staff.pitches, number, is_drum=self._is_drum)
                for number, staff in enumerate(self._staves, 1)
            ]
        if out:
            yield f"   <attributes>{''.join(out)}</attributes>"

    def _notes(self, place: int, key: KeySignature, divisions: int) -> Iterator[str]:
        layers = self._layers[place]
        signs = self._signs(layers, key)
        for layer in layers:
            if layer is not layers[0]:
                bar = self._bars[place]
                yield markup.step("backup", bar.end - bar.start, divisions)
            where = divisions, layer.voice, layer.staff
            for piece in layer.pieces:
                if piece.chord is None:
                    is_first = layer.voice % VOICES_A_STAFF == 1
                    yield markup.rest(piece, *where, is_hidden=not is_first)
                    continue
                for rank, note in enumerate(piece.chord.notes):
                    if self._is_drum:
                        yield markup.drum(piece, *where, rank, note, self._name)
                    else:
                        spelling = self._spelled(note, piece.chord)
                        sign = signs.get((id(piece), rank))
                        yield markup.note(piece, *where, rank, note, spelling, sign)

    def _spelled(self, note: Pitched, chord: Chord) -> Spelling:
        """Spell a note in the key in which it starts: a tied note keeps its name."""
        at = bisect_right(self._key_times, chord.start) - 1
        key = self._keys[self._key_times[at]] if at >= 0 else NO_KEY
        return spell(note.pitch, key.fifths, key.mode)

    def _signs(self, layers: Sequence[_Layer], key: KeySignature) -> dict[tuple[int, int], str]:
        """Find the accidentals of a measure, staff by staff in the order of time."""
        found = {}
        for staff in {layer.staff for layer in layers}:
            seen = Accidentals(key.fifths)
            pieces = [piece for layer in layers if layer.staff == staff for piece in layer.pieces]
            for piece in sorted(pieces, key=lambda piece: piece.start):
                if piece.chord is None or piece.start > piece.chord.start:
                    continue  # a note that is tied keeps its accidental
                for rank, note in enumerate(piece.chord.notes):
                    sign = seen.sign(self._spelled(note, piece.chord))
                    if sign is not None:
                        found[id(piece), rank] = sign
        return found
