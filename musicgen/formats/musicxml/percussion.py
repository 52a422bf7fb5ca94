"""Where drums stand on the staff, as is usual for the numbers of General MIDI."""

from __future__ import annotations

__all__ = ["line_of"]

# First the place on the staff, then whether the head is a cross.
_PLACES = {
    "F4": (35, 36),
    "C5": (37, 38, 39, 40),
    "A4": (41, 43),
    "D5": (45, 47),
    "E5": (48, 50),
}
_CROSSES = {
    "D4": (44,),
    "G5": (42, 46),
    "A5": (49, 52, 55, 57),
    "F5": (51, 53, 59),
}
_LINES = {
    number: (place[0], int(place[1]), is_cross)
    for places, is_cross in ((_PLACES, False), (_CROSSES, True))
    for place, numbers in places.items()
    for number in numbers
}


def line_of(number: int) -> tuple[str, int, bool]:
    """Find the letter and octave at which a drum is printed, and whether its head is a cross.

    Examples
    --------
    >>> line_of(36), line_of(42), line_of(80)
    (('F', 4, False), ('G', 5, True), ('C', 5, False))
    """
    return _LINES.get(number, ("C", 5, False))
