"""One part of a score to be written: its staves and voices, measure by measure."""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, NamedTuple

from musicgen.formats.musicxml import markup
from musicgen.formats.musicxml.beams import beams
from musicgen.formats.musicxml.layout import by_bar
from musicgen.formats.musicxml.staves import VOICES_A_STAFF, Staff
from musicgen.music import KeySignature, Tempo
from musicgen.notation.rhythm import pieces
from musicgen.notation.segments import Piece, Segment, cut
from musicgen.notation.spelling import Accidentals, Spelling, signature, spell_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Set

    from musicgen.notation.bars import Bar
    from musicgen.notation.voices import Chord

__all__ = ["PartWriter"]

NO_KEY = KeySignature(0, 0)
# A change of tempo by less than this share is heard and not printed.
SHOWN_CHANGE = 0.1


class _Layer(NamedTuple):
    """What one voice has in one measure, and the numbers of the voice and its staff."""

    voice: int
    staff: int
    pieces: list[Piece]
    beams: list[list[str]]


class PartWriter:
    """Writes one part.

    Parameters
    ----------
    name
        Its id.
    is_drum
        Whether its pitches name drums.
    bars
        The measures of the score.
    staves
        Its staves.
    fermatas
        When what starts is held at will.
    """

    def __init__(
        self,
        name: str,
        is_drum: bool,
        bars: list[Bar],
        staves: list[Staff],
        fermatas: Set[Fraction] = frozenset(),
    ) -> None:
        self._name = name
        self._fermatas = fermatas
        self._is_drum = is_drum
        self._bars = bars
        self._keys: dict[Fraction, KeySignature] = {}
        self._key_times: list[Fraction] = []
        self._names: dict[int, list[Spelling]] = {}
        self._staves = staves
        self._layers: list[list[_Layer]] = [[] for _ in bars]
        for number, staff in enumerate(self._staves, 1):
            for index, voice in enumerate(staff.voices or [[]], 1):
                for layers, segments, bar in zip(self._layers, cut(voice, bars), bars, strict=True):
                    if index == 1 or any(segment.chord for segment in segments):
                        written = _written(segments, bar)
                        label = (number - 1) * VOICES_A_STAFF + index
                        layers.append(_Layer(label, number, written, beams(written, bar)))

    def lines(
        self, keys: dict[Fraction, KeySignature], tempos: dict[Fraction, Tempo]
    ) -> Iterator[str]:
        """Yield the text of the part, one note a line.

        Parameters
        ----------
        keys, tempos
            Changes by time.

        Raises
        ------
        FormatError
            When there is no sign for a key or tempo.
        """
        self._keys, self._key_times = keys, list(keys)
        for staff in self._staves:
            for voice in staff.voices:
                self._names |= self._spelled(voice)
        divisions = self._divisions([*keys, *tempos])
        key, shown = NO_KEY, 0.0
        first = 0 if self._bars[0].is_upbeat else 1
        new_keys, new_tempos = by_bar(keys, self._bars), by_bar(tempos, self._bars)
        yield f' <part id="{self._name}">'
        for place, bar in enumerate(self._bars):
            implicit = ' implicit="yes"' if bar.is_upbeat else ""
            yield f'  <measure number="{place + first}"{implicit}>'
            at_start = [change for offset, change in new_keys[place] if offset == 0]
            key = at_start[-1] if at_start else key
            yield from self._attributes(place, at_start, divisions)
            for offset, tempo in new_tempos[place]:
                is_shown = abs(tempo.qpm - shown) >= SHOWN_CHANGE * shown
                shown = tempo.qpm if is_shown else shown
                at = int(4 * offset * divisions)
                yield markup.tempo(tempo, at, bar.metre, is_shown=is_shown)
            later = [change for change in new_keys[place] if change[0]]
            yield from self._notes(place, key, later, divisions)
            for offset, key in later:
                rest = bar.end - bar.start - offset
                yield markup.step("backup", rest, divisions)
                yield f"   <attributes>{markup.key(key)}</attributes>"
                yield markup.step("forward", rest, divisions)
            yield "  </measure>"
        yield " </part>"

    def _divisions(self, times: Sequence[Fraction]) -> int:
        lengths = {bar.end - bar.start for bar in self._bars}
        for layers in self._layers:
            lengths.update(p.end - p.start for layer in layers for p in layer.pieces)
        return lcm(*((4 * time).denominator for time in (*lengths, *times)))

    def _attributes(
        self, place: int, keys: Sequence[KeySignature], divisions: int
    ) -> Iterator[str]:
        bar = self._bars[place]
        out = [f"<divisions>{divisions}</divisions>"] if place == 0 else []
        out += [markup.key(change) for change in keys]
        if place == 0 or bar.metre != self._bars[place - 1].metre:
            beats, unit = bar.metre.numerator, bar.metre.denominator
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

    def _notes(
        self,
        place: int,
        key: KeySignature,
        changes: Sequence[tuple[Fraction, KeySignature]],
        divisions: int,
    ) -> Iterator[str]:
        layers, bar = self._layers[place], self._bars[place]
        signed = self._signed(layers, key, [(bar.start + at, change) for at, change in changes])
        for layer in layers:
            if layer is not layers[0]:
                yield markup.step("backup", bar.end - bar.start, divisions)
            for piece, beamed in zip(layer.pieces, layer.beams, strict=True):
                is_hidden = piece.chord is None and layer.voice % VOICES_A_STAFF != 1
                is_held = piece.start in self._fermatas and not is_hidden
                position = markup.Position(divisions, layer.voice, layer.staff, beamed, is_held)
                if piece.chord is None:
                    is_whole = len(layer.pieces) == 1
                    yield markup.rest(piece, position, is_hidden=is_hidden, is_whole=is_whole)
                    continue
                for rank, note in enumerate(piece.chord.notes):
                    if self._is_drum:
                        yield markup.drum(piece, position, rank, note, self._name)
                    else:
                        name = self._names[id(piece.chord)][rank]
                        is_signed = (id(piece), rank) in signed
                        yield markup.note(piece, position, rank, note, name, is_signed=is_signed)

    def _spelled(self, voice: Sequence[Chord]) -> Iterator[tuple[int, list[Spelling]]]:
        """Spell chords in the keys in which they start: a tied note keeps its name."""
        line: list[tuple[Sequence[int], int]] = []
        end = Fraction(0)
        for chord in voice:
            at = bisect_right(self._key_times, chord.start) - 1
            fifths = self._keys[self._key_times[at]].fifths if at >= 0 else 0
            line += [((), fifths)] * (chord.start > end)
            line.append((chord.pitches, fifths))
            end = chord.end
        return zip(map(id, voice), filter(None, spell_line(line)), strict=True)

    def _signed(
        self,
        layers: Sequence[_Layer],
        key: KeySignature,
        changes: list[tuple[Fraction, KeySignature]],
    ) -> set[tuple[int, int]]:
        """Find the notes of a measure that need an accidental, by piece and place in its chord."""
        found = set()
        for staff in {layer.staff for layer in layers}:
            accidentals, waiting = Accidentals(signature(key.fifths)), list(changes)
            pieces = [piece for layer in layers if layer.staff == staff for piece in layer.pieces]
            for piece in sorted(pieces, key=lambda piece: piece.start):
                while waiting and waiting[0][0] <= piece.start:
                    accidentals.change_key(signature(waiting.pop(0)[1].fifths))
                if piece.chord is None or not piece.is_start:
                    continue  # a note that is tied keeps its accidental
                needed = accidentals.needed(self._names[id(piece.chord)])
                found |= {(id(piece), rank) for rank, is_needed in enumerate(needed) if is_needed}
        return found


def _written(segments: list[Segment], bar: Bar) -> list[Piece]:
    """Write one measure; silence is a rest of its length."""
    if any(segment.chord for segment in segments):
        return pieces(segments, bar, show_beats=True)
    return [Piece(bar.start, bar.end, None, bar.end - bar.start)]
