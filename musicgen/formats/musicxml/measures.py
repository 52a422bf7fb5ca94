"""The measures of one part: a cursor that walks over notes, rests, ``backup`` and ``forward``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from musicgen.formats.musicxml.directions import dynamics, ending_numbers, key, metre, tempo
from musicgen.formats.musicxml.pitches import sounding_pitch
from musicgen.formats.musicxml.score import Measure, Sound

if TYPE_CHECKING:
    from musicgen.formats.musicxml.document import Element

__all__ = ["PartReader"]

LONGEST_MEASURE = 4096
FINEST = 2**40
ZERO = Fraction(0)


@dataclass(slots=True)
class PartReader:
    """Reads the measures of a part one after the other and remembers what is in force.

    Attributes
    ----------
    percussion
        MIDI note number of each percussion instrument of the part, by its id.
    repairs
        How often something was repaired or left out, by what it is.
    """

    percussion: dict[str, int]
    repairs: Counter[str]
    divisions: Fraction = Fraction(1)
    transposition: int = 0
    velocity: int = 80
    metre: tuple[int, int] | None = None
    key: tuple[int, str] | None = None
    pitched: int = 0
    unpitched: int = 0
    cursor: Fraction = ZERO
    onset: Fraction | None = None
    current: Measure = field(default_factory=Measure)
    in_ending: tuple[int, ...] = ()

    def read(self, element: Element) -> Measure:
        """Read the next measure.

        Raises
        ------
        FormatError
            When a number in it is none, or impossible.
        """
        self.cursor, self.onset = ZERO, None
        self.current = Measure(metre=self.metre, key=self.key)
        self.current.signs.ending = self.in_ending
        for child in element.children:
            match child.tag:
                case "note":
                    self._note(child)
                case "backup":
                    self._backup(child)
                case "forward":
                    self._advance(self._duration(child), child)
                case "attributes":
                    self._attributes(child)
                case "direction":
                    self._direction(child)
                case "sound":
                    self._sound(child, self._shifted(child))
                case "barline":
                    self._barline(child)
        bar = self._bar_length()
        if self.current.length == 0 and bar is not None:
            self.current.length = bar
        elif bar is not None and self.current.length > bar:
            self.repairs["measures longer than their metre, kept as they are"] += 1
        return self.current

    def _bar_length(self) -> Fraction | None:
        if self.current.metre is None:
            return None
        numerator, denominator = self.current.metre
        return Fraction(4 * numerator, denominator)

    def _duration(self, element: Element) -> Fraction:
        number = element.number("duration")
        if number is None:
            return ZERO
        duration = number / self.divisions
        if not 0 <= duration <= LONGEST_MEASURE:
            raise element.error(f"found a duration of {float(duration):g} quarter notes")
        return duration

    def _advance(self, duration: Fraction, element: Element) -> None:
        self.cursor += duration
        if self.cursor > LONGEST_MEASURE:
            raise element.error(f"found a measure of more than {LONGEST_MEASURE} quarter notes")
        if self.cursor.denominator > FINEST:
            raise element.error(f"found a time of {self.cursor.denominator}ths of a quarter note")
        reach, bar = self.cursor, self._bar_length()
        if bar is not None and (element.tag == "forward" or element.find("rest") is not None):
            # Silence makes no measure longer: some programs give every rest a whole note.
            reach = min(reach, bar)
        self.current.length = max(self.current.length, reach)

    def _backup(self, element: Element) -> None:
        self.cursor -= self._duration(element)
        if self.cursor < 0:
            self.cursor = ZERO
            self.repairs["steps back over the start of a measure, stopped there"] += 1

    def _note(self, note: Element) -> None:
        if note.find("grace") is not None:
            self.repairs["grace notes left out"] += 1
            return
        duration = self._duration(note)
        if note.find("chord") is None or self.onset is None:
            self.onset = self.cursor
            self._advance(duration, note)
        if any(notations.find("fermata") is not None for notations in note.all("notations")):
            self.current.fermatas.add(self.onset)
        if note.find("rest") is not None:
            return
        if note.find("cue") is not None:
            self.repairs["cue notes left out"] += 1
            return
        if duration == 0:
            self.repairs["notes without a length left out"] += 1
            return
        if note.find("unpitched") is None:
            self.pitched += 1
        else:
            self.unpitched += 1
        pitch = sounding_pitch(note, self.transposition, self.percussion, self.repairs)
        if pitch is None:
            return
        ties = list(note.all("tie"))
        if not ties and (notations := note.find("notations")) is not None:
            ties = list(notations.all("tied"))
        kinds = {tie.attributes.get("type") for tie in ties}
        self.current.sounds.append(
            Sound(
                self.onset,
                pitch,
                duration,
                self._velocity(note),
                note.words("voice"),
                bool(kinds & {"stop", "continue"}),
                bool(kinds & {"start", "continue"}),
            )
        )

    def _velocity(self, note: Element) -> int:
        loudness = dynamics(note.attributes.get("dynamics"))
        return self.velocity if loudness is None else loudness

    def _attributes(self, attributes: Element) -> None:
        divisions = attributes.number("divisions")
        if divisions is not None:
            if divisions <= 0:
                raise attributes.error(f"found {divisions} divisions a quarter note")
            self.divisions = divisions
        transpose = attributes.find("transpose")
        if transpose is not None:
            chromatic = transpose.number("chromatic") or ZERO
            octaves = transpose.number("octave-change") or ZERO
            self.transposition = round(chromatic + 12 * octaves)
        time, signature = attributes.find("time"), attributes.find("key")
        if time is not None:
            self.metre = metre(time, self.repairs)
            if self.cursor == 0:
                self.current.metre = self.metre
        if signature is not None:
            found = key(signature, self.transposition, self.repairs)
            if found is not None:
                self.key = found
                if self.cursor == 0:
                    self.current.key = found
                else:
                    self.current.keys.append((self.cursor, found))

    def _shifted(self, element: Element) -> Fraction:
        """Where a direction or sound takes effect."""
        offset = element.find("offset")
        if offset is None or (
            element.tag == "direction" and offset.attributes.get("sound") != "yes"
        ):
            return self.cursor
        return max(self.cursor + (element.number("offset") or ZERO) / self.divisions, ZERO)

    def _direction(self, direction: Element) -> None:
        at = self._shifted(direction)
        signs = self.current.signs
        said = None
        for kind in direction.all("direction-type"):
            signs.segno |= kind.find("segno") is not None
            signs.coda |= kind.find("coda") is not None
            if (metronome := kind.find("metronome")) is not None:
                said = tempo(metronome)
            if (mark := kind.find("dynamics")) is not None and mark.children:
                loudness = dynamics(mark.children[0].tag)
                self.velocity = self.velocity if loudness is None else loudness
        sound = direction.find("sound")
        if sound is not None and self._sound(sound, at):
            return
        if said is not None:
            self.current.tempos.append((at, said))

    def _sound(self, sound: Element, at: Fraction) -> bool:
        """Take over what is to be heard; return whether that is a tempo."""
        signs, said = self.current.signs, sound.attributes
        signs.segno |= "segno" in said
        signs.coda |= "coda" in said
        signs.to_coda |= "tocoda" in said
        signs.da_capo |= said.get("dacapo") == "yes"
        signs.dal_segno |= "dalsegno" in said
        signs.fine |= "fine" in said
        loudness = dynamics(said.get("dynamics"))
        self.velocity = self.velocity if loudness is None else loudness
        qpm = tempo(sound)
        if qpm is not None:
            self.current.tempos.append((at, qpm))
        return qpm is not None

    def _barline(self, barline: Element) -> None:
        signs = self.current.signs
        signs.segno |= barline.find("segno") is not None
        signs.coda |= barline.find("coda") is not None
        ending = barline.find("ending")
        if ending is not None and ending.attributes.get("type") == "start":
            self.in_ending = ending_numbers(ending.attributes.get("number", ""))
            signs.ending, signs.starts_ending = self.in_ending, True
        elif ending is not None:
            self.in_ending = ()
        repeat = barline.find("repeat")
        if repeat is None:
            return
        if repeat.attributes.get("direction") == "forward":
            signs.starts_repeat = True
        else:
            times = repeat.attributes.get("times", "")
            signs.times = int(times) if times.isascii() and times[:3].isdigit() else 2
            signs.times = max(min(signs.times, 99), 2) if times != "1" else 1
            self.in_ending = ()
