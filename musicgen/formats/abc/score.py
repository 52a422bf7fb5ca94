"""A parsed tune: what its text says, in the order in which it says it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

__all__ = ["Bar", "Break", "Element", "Field", "Note", "Overlay", "Problem", "Score", "Sound"]

MAX_PROBLEMS = 1000


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in the text that was repaired.

    Attributes
    ----------
    line, column
        Place in the file, counted from 1.
    message
        What was found.
    hint
        What to write instead; may be empty.
    mild
        Whether the text is well-formed all the same, so that a strict reader accepts it.
    """

    line: int
    column: int
    message: str
    hint: str = ""
    mild: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """One written note.

    Attributes
    ----------
    accidental
        ``""``, ``"^"``, ``"^^"``, ``"_"``, ``"__"`` or ``"="``.
    letter
        ``"A"`` to ``"G"``.
    octave
        0 for the octave of ``C``, 1 for that of ``c``, −1 for that of ``C,``.
    length
        In units of ``L:``, broken rhythm applied, tuplets not.
    tied
        Whether a tie leads from here to the next note of this pitch.
    """

    accidental: str
    letter: str
    octave: int
    length: Fraction
    tied: bool = False


@dataclass(slots=True)
class Sound:
    """What takes time in one voice: a note, a chord or a rest, with all that is written around it.

    Attributes
    ----------
    line, column
        Place in the file.
    notes
        One note, the notes of a chord, or none for a rest.
    length
        Time to the next sound, in units of ``L:``; in bars for the rest ``Z``.
    rest
        ``"z"``, ``"x"`` (not printed) or ``"Z"`` (whole bars); empty for notes.
    broken
        How many ``>`` (positive) or ``<`` (negative) tie its rhythm to the next sound. Lengths
        are those after it; this keeps the spelling only.
    tuplet
        ``(p, q, r)`` where a tuplet starts here: `r` sounds at `q`/`p` of their length.
    opens, closes
        Slurs that start and end here.
    grace
        Grace notes before it.
    slashed
        Whether the grace notes are written with a slash.
    quotes
        Texts in quotation marks before it: chord symbols, and annotations with their sign of place
        (``"^slow"``).
    decorations
        Names (``"trill"``) of the signs before it; a letter that stands for none is its own.
    """

    line: int
    column: int
    notes: tuple[Note, ...]
    length: Fraction
    rest: str = ""
    broken: int = 0
    tuplet: tuple[int, int, int] | None = None
    opens: int = 0
    closes: int = 0
    grace: tuple[Note, ...] = ()
    slashed: bool = False
    quotes: tuple[str, ...] = ()
    decorations: tuple[str, ...] = ()


@dataclass(slots=True)
class Bar:
    """A bar line.

    Attributes
    ----------
    line, column
        Place in the file.
    kind
        ``"|"``, ``"||"``, ``"|]"``, ``"[|"``, ``"|:"``, ``":|"`` or ``"::"``.
    ending
        Numbers of the variant ending that starts here, such as ``"1"`` or ``"1,3"``; or empty.
    quotes, decorations
        Texts and signs that stand on the bar line.
    """

    line: int
    column: int
    kind: str
    ending: str = ""
    quotes: tuple[str, ...] = ()
    decorations: tuple[str, ...] = ()

    @property
    def starts_repeat(self) -> bool:
        """Whether the bar line opens a repeated section."""
        return self.kind in ("|:", "::")

    @property
    def ends_repeat(self) -> bool:
        """Whether the bar line sends the player back."""
        return self.kind in (":|", "::")


@dataclass(slots=True)
class Field:
    """An information field, such as ``K:G``; key ``"%%"`` holds a directive.

    Attributes
    ----------
    line, column
        Place in the file.
    key
        Its letter.
    value
        Its text, trimmed.
    inline
        Whether it is written in brackets within a line of music.
    """

    line: int
    column: int
    key: str
    value: str
    inline: bool = False


@dataclass(slots=True)
class Break:
    r"""White space between sounds.

    Attributes
    ----------
    kind
        ``" "`` ends a beam, ``"\n"`` a line, ``"\\"`` a line of text but not of music.
    """

    kind: str


@dataclass(slots=True)
class Overlay:
    """The sign ``&``: what follows sounds from the start of the bar."""

    line: int
    column: int


Element = Sound | Bar | Field | Break | Overlay


@dataclass(slots=True)
class Score:
    """A parsed tune.

    Attributes
    ----------
    header
        Fields up to and with ``K:``, in the order of the text.
    body
        What follows, but for what says nothing of the music. Every repeat has its start and its
        end: where the text leaves one out, it has been put where players assume it.
    problems
        What was repaired, in the order in which it was found; at most 1,000.
    """

    header: list[Field] = field(default_factory=list)
    body: list[Element] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def first(self, key: str) -> str:
        """Return the first value of a header field, or an empty text."""
        return next((entry.value for entry in self.header if entry.key == key), "")
