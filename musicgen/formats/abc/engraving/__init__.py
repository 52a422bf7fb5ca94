"""A score → an engraved page: MEI, the XML of the Music Encoding Initiative [1]_.

The measures of a voice are found in `measures`, a staff is written in `staves`, what a note needs
in `pitches`, `durations` and `lyrics`, what goes around notes in `nesting`, `ties`, `curves` and
`signs`; `document` puts them together.

References
----------
.. [1] "The MEI Guidelines", version 5, Music Encoding Initiative, 2023.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from musicgen.formats.abc.score import Score

__all__ = ["to_mei"]


def to_mei(score: Score) -> str:
    r"""Engrave a score as its text has it, for programs that draw MEI.

    Repeats are shown, not unfolded; line ends of the text are ``<sb/>``. A voice that ends before
    the others rests.

    Returns
    -------
    str
        An MEI 5 document.

    Raises
    ------
    FormatError
        When the staves of all measures come to more than a quarter of a million.

    Examples
    --------
    >>> from musicgen.formats.abc import parse
    >>> from musicgen.music import Tune
    >>> text = to_mei(parse(Tune("X:1\nT:Air\nL:1/4\nM:3/4\nK:G\nG^c2|")))
    >>> text[text.index("<note") : text.index("</layer>")]
    '<note xml:id="s1e1" dur="4" pname="g" oct="4" /><note xml:id="s1e2" dur="2" pname="c" oct="5"
      accid="s" />'
    """
    # Reading a tune does not wait for what draws one.
    from musicgen.formats.abc.engraving.document import document

    return document(score)
