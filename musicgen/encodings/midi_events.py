"""Notes as a sequence of events: one symbol out of one vocabulary after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from copy import copy
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from musicgen.encodings.alignment import NO_BAR, Alignment, Told, align_music
from musicgen.encodings.base import BOUNDARY, Symbols, refuse
from musicgen.encodings.event_grammar import FAMILIES, EventGrammar
from musicgen.encodings.event_values import levels, nearest, parts
from musicgen.encodings.grid import RESOLUTION, check_steps, refined
from musicgen.encodings.marks import pitch_name
from musicgen.encodings.timeline import Moment, Program, tempo, timeline
from musicgen.errors import EncodingError
from musicgen.music import KeySignature, Music, Note, Tempo, TimeSignature, Track

__all__ = ["MidiEvents"]

LONGEST = 4  # quarter notes; what is longer takes several events


class _Step(NamedTuple):
    """The symbols of one step: the shifts to it, its changes by family, its notes.

    Notes stand under the symbols of their program and their pitch.
    """

    shifts: list[int]
    changes: dict[str, int]
    notes: dict[tuple[int, int], Note]


class MidiEvents:
    """One symbol an event; the events of a piece in the order of time.

    The events of one step come in the order of this table, notes by program (drum kits last) and
    then by pitch, so that equal pieces give equal symbols.

    ========  =======================================  ===========================================
    event     value                                    written
    ========  =======================================  ===========================================
    shift     steps, 4 quarter notes at most           to reach the next step where something
                                                       happens, several for a long way
    metre     numerator, denominator                   when it changes
    key       sharps or flats, mode                    when it changes
    tempo     bins, each 5 % above the last; 0 is 120  when it changes
    program   drum kit or not, program                 before a note, when it changes
    velocity  1–127                                    before a note, when it changes
    pitch     0–127                                    for every note
    duration  steps, 4 quarter notes at most           after every pitch, several for a long note
    ========  =======================================  ===========================================

    Symbol 0 ends a piece. The vocabulary holds all pitches, all signatures of the modes of the
    training pieces (so that they may be transposed), and of the rest what the training pieces hold;
    anything else is written as the nearest value: a late note does not delay those after it.

    Parameters
    ----------
    steps_per_quarter
        Steps of the grid a quarter note.
    values
        The values of each event in the order of their symbols; the events in that of the table.

    References
    ----------
    .. [1] Oore et al., "This time with feeling: learning expressive musical performance", Neural
       Computing and Applications 32, 2020 (time shifts).
    .. [2] Huang and Yang, "Pop Music Transformer", ACM Multimedia 2020 (durations, metrical time).

    Examples
    --------
    >>> music = Music(480, tracks=[Track(24, notes=[Note(0, 60, 240), Note(240, 64, 960)])])
    >>> encoding = MidiEvents.fit([music], steps_per_quarter=4)
    >>> symbols = encoding.encode(music)
    >>> for symbol in symbols[:-1]:
    ...     print(*encoding.events[symbol])
    program (False, 24)
    velocity 64
    pitch 60
    duration 2
    shift 2
    pitch 64
    duration 8
    >>> encoding.decode(symbols) == music
    True
    """

    name: ClassVar[str] = "events"
    kind: ClassVar[type[Music]] = Music
    head: ClassVar[str] = "categorical"
    unit: ClassVar[str] = "event"
    losses: ClassVar[tuple[str, ...]] = (
        "times between the steps of the grid",
        "velocities and tempos between those of the vocabulary",
        "which track a note stood in: tracks of one program become one",
        "titles, fermatas, names of tracks and tracks without notes",
        "changes to what already holds",
        "values that no training piece holds: the nearest is taken",
        "drum notes when no training piece holds any, other notes when all are drum notes",
    )
    never: ClassVar[tuple[int, ...]] = ()

    def __init__(self, steps_per_quarter: int, values: dict[str, Sequence[Any]]) -> None:
        self.steps_per_quarter = steps_per_quarter
        self.values = {family: tuple(values[family]) for family in FAMILIES}
        self.events: tuple[tuple[str, Any], ...] = (
            ("boundary", None),
            *((family, value) for family in FAMILIES for value in self.values[family]),
        )
        self._number = {event: number for number, event in enumerate(self.events)}
        self._grammar = EventGrammar([family for family, _ in self.events])

    @classmethod
    def fit(
        cls, pieces: Iterable[Music], *, steps_per_quarter: int = 12, velocity_bins: int = 8
    ) -> Self:
        """Collect the values that these pieces hold.

        Parameters
        ----------
        pieces
            Training pieces.
        steps_per_quarter
            Steps a quarter note, a divisor of 480: 12 keeps sixteenths and triplets of eighths.
        velocity_bins
            Most velocities kept, 1–127. Pieces that hold no more keep theirs; else each stands for
            an equal share of the notes.

        Raises
        ------
        EncodingError
            For a choice outside these ranges, and when the pieces hold no notes.
        """
        check_steps(steps_per_quarter)
        if not 1 <= velocity_bins <= 127:
            raise EncodingError(f"velocity_bins is {velocity_bins}; expected 1 to 127")
        found: dict[str, set[Any]] = {family: set() for family in FAMILIES}
        velocities: Counter[int] = Counter()
        longest = LONGEST * steps_per_quarter
        for piece in pieces:
            moments = timeline(piece, steps_per_quarter)
            for before, after in pairwise([0, *moments]):
                found["shift"] |= parts(after - before, longest)
            for changes, notes in moments.values():
                for family, value in changes.items():
                    found[family].add(value)
                for (program, _), note in notes.items():
                    found["program"].add(program)
                    found["duration"] |= parts(note.duration, longest)
                    velocities[note.velocity] += 1
        if not velocities:
            raise EncodingError("the training pieces hold no notes; expected at least one")
        found["pitch"] = set(range(128))
        found["velocity"] = levels(velocities, velocity_bins)
        found["key"] = {(fifths, mode) for _, mode in found["key"] for fifths in range(-7, 8)}
        return cls(steps_per_quarter, {family: sorted(found[family]) for family in FAMILIES})

    @property
    def size(self) -> int:
        """Number of symbols."""
        return len(self.events)

    @property
    def usual_length(self) -> int:
        """Events of some 700 notes."""
        return 2000

    def encode(self, piece: Music) -> Symbols:
        """Return the symbols of the piece's events, then 0.

        Raises
        ------
        EncodingError
            For a tempo that is not above 0.
        """
        symbols: list[int] = []
        held: dict[str, int] = {}

        def change(family: str, symbol: int) -> None:
            if held.get(family) != symbol:
                held[family] = symbol
                symbols.append(symbol)

        for step in self._steps(timeline(piece, self.steps_per_quarter)):
            symbols += step.shifts
            for family in ("metre", "key", "tempo"):
                if family in step.changes:
                    change(family, step.changes[family])
            for (program, pitch), note in sorted(step.notes.items()):
                change("program", program)
                change("velocity", self._nearest("velocity", note.velocity))
                symbols.append(pitch)
                symbols += self._composed("duration", note.duration, least=1)
        return np.array([*symbols, BOUNDARY], np.int32)

    def align(self, piece: Music) -> Alignment:
        """Encode a piece and tell which events are of which note.

        A note has its pitch and its durations, and the shifts, program and velocity before it.

        Raises
        ------
        EncodingError
            As `encode`; and when a bar is no whole number of ticks, 480 a quarter note.
        """
        symbols = self.encode(piece)
        times = np.full(len(symbols), NO_BAR)
        tick = RESOLUTION // self.steps_per_quarter
        told: list[Told] = []
        before: list[int] = []
        now, velocity = 0, 64
        for step, symbol in enumerate(symbols[:-1]):
            family, value = self.events[symbol]
            now += value * tick if family == "shift" else 0
            times[step] = now
            if family in ("shift", "program", "velocity"):
                velocity = value if family == "velocity" else velocity
                before.append(step)
                times[before] = now
            elif family == "pitch":
                told.append(Told(Note(now, value, 0, velocity), [*before, step]))
                before = []
            elif family == "duration":
                note, steps, _ = told[-1]
                note = note._replace(duration=note.duration + value * tick)
                told[-1] = Told(note, [*steps, step])
        labels = [self._label(*event) for event in self.events]
        return align_music(symbols, self.decode(symbols), times, told, labels)

    def _label(self, family: str, value: Any) -> str:
        match family:
            case "boundary":
                return "end"
            case "pitch":
                return pitch_name(value)
            case "shift" | "duration":
                return f"{family} {value / self.steps_per_quarter:.3g}"
            case "metre":
                return "{}/{}".format(*value)
            case "key":
                return KeySignature(0, *value).name
            case "tempo":
                return f"{tempo(value):g} qpm"
            case "program":
                return f"{'drums' if value[0] else 'program'} {value[1]}"
        return f"{family} {value}"

    def encode_primer(self, piece: Music) -> Symbols:
        """Return the symbols of the piece's events.

        Raises
        ------
        EncodingError
            When no note of it can be written.
        """
        symbols = self.encode(piece)[:-1]
        if not any(self.events[symbol][0] == "pitch" for symbol in symbols):
            known = " and ".join(
                name
                for name, is_drum in (("instruments", False), ("drums", True))
                if any(program[0] == is_drum for program in self.values["program"])
            )
            raise EncodingError(f"the primer holds no notes for what the model knows: {known}")
        return symbols

    def decode(self, array: Iterable[int]) -> Music:
        """Return the piece, up to the first boundary; any symbols make one.

        What nothing was said of is the first program of the vocabulary, velocity 64 and a quarter
        note. Equal notes that fall on each other become one.
        """
        now, program, velocity, duration = 0, self.values["program"][0], 64, self.steps_per_quarter
        music = Music(self.steps_per_quarter)
        notes: dict[Program, list[Note]] = {}
        previous = ""
        for symbol in array:
            if symbol == BOUNDARY:
                break
            family, value = self.events[symbol]
            if family == "duration":
                if previous not in ("pitch", "duration"):
                    continue
                duration = value if previous == "pitch" else duration + value
                notes[program][-1] = notes[program][-1]._replace(duration=duration)
            elif family == "pitch":
                notes.setdefault(program, []).append(Note(now, value, duration, velocity))
            elif family == "shift":
                now += value
            elif family == "velocity":
                velocity = value
            elif family == "program":
                program = value
            elif family == "tempo":
                music.tempos.append(Tempo(now, tempo(value)))
            elif family == "metre":
                music.time_signatures.append(TimeSignature(now, *value))
            else:
                music.key_signatures.append(KeySignature(now, *value))
            previous = family
        music.tracks = [
            Track(number, is_drum, notes=notes[is_drum, number])
            for is_drum, number in sorted(notes)
        ]
        return refined(music)

    def constraint(
        self,
        *,
        key: str | None = None,
        metre: str | None = None,
        bars: int | None = None,
        title: str | None = None,
    ) -> EventGrammar:
        """Return what keeps a sample such as `encode` might write, so that nothing needs mending.

        Raises
        ------
        EncodingError
            For a condition but the title: the model decides.
        """
        refuse(self.name, key=key, metre=metre, bars=bars)
        return copy(self._grammar)

    def state(self) -> dict[str, Any]:
        """Return the grid and the values of each event."""
        return {"steps_per_quarter": self.steps_per_quarter, "values": self.values}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Make the encoding again."""
        values: dict[str, Sequence[Any]] = {
            family: [tuple(value) if isinstance(value, list) else value for value in values]
            for family, values in state["values"].items()
        }
        return cls(state["steps_per_quarter"], values)

    def _nearest(self, family: str, value: Any) -> int:
        """Return the symbol of the value or of the one most like it; 0 where none is like it."""
        event = family, value
        if event not in self._number:
            known = nearest(family, value, self.values[family])
            self._number[event] = BOUNDARY if known is None else self._number[family, known]
        return self._number[event]

    def _composed(self, family: str, steps: int, *, least: int = 0) -> list[int]:
        """Return the symbols of shifts or durations that together come nearest to so many steps."""
        values = self.values[family]
        if not values:
            return []
        whole, rest = divmod(steps, values[-1])
        symbols = [self._number[family, values[-1]]] * whole
        if (family, rest) not in self._number:
            choices = values if len(symbols) < least else (0, *values)
            rest = min(choices, key=lambda value: abs(value - rest))
        return [*symbols, self._number[family, rest]] if rest else symbols

    def _steps(self, moments: dict[int, Moment]) -> Iterable[_Step]:
        """Return what is written of each moment, at the step that shifts reach it with."""
        found: dict[int, _Step] = {}
        held: dict[str, int] = {}
        now = 0
        for time, moment in moments.items():
            changes, notes = dict[str, int](), dict[tuple[int, int], Note]()
            for family, value in moment.changes.items():
                symbol = self._nearest(family, value)
                if symbol and held.get(family) != symbol:
                    changes[family] = symbol
            for (program, pitch), note in moment.notes.items():
                symbol = self._nearest("program", program)
                if symbol:
                    notes[symbol, self._number["pitch", pitch]] = note
            if changes or notes:
                shifts = self._composed("shift", time - now)
                now += sum(self.events[symbol][1] for symbol in shifts)
                step = found.setdefault(now, _Step(shifts, {}, {}))
                step.changes.update(changes)
                step.notes.update(notes)
                held |= changes
        return found.values()
