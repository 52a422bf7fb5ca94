"""Music → Tune: notes written down as ABC.

`bars` sets the bar lines and `lines` parts each track into voices; `rhythm` finds lengths, ties
and tuplets, `spelling` letters and accidentals, `metre` and `key` what a piece does not say.
`writing` joins them.
"""

from musicgen.convert.notation.writing import music_to_tune

__all__ = ["music_to_tune"]
