"""Music → Tune: notes written down as ABC.

`changes` lists what a piece says of tempo, metre and key, `metre` and `key` find what it does not
say; `voices` writes the bars of a voice and `writing` joins them. What is no business of ABC is in
`musicgen.notation`.
"""

from musicgen.convert.notation.writing import music_to_tune

__all__ = ["music_to_tune"]
