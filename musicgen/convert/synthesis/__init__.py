"""Music → Audio: a synthesiser of tones made of partials.

What instruments sound like is in `timbres`, how their tones come about in `tones`, percussion in
`drums`; which note sounds when is in `scheduling`, the room and the level in `mixing`, and
`playing` brings them together.

References
----------
.. [1] J. O. Smith, "Physical Audio Signal Processing", 2010: struck and plucked strings.
.. [2] N. H. Fletcher and T. D. Rossing, "The Physics of Musical Instruments", 1998: inharmonic
   strings, bars, formants.
.. [3] "General MIDI System Level 1", RP-003, MIDI Manufacturers Association, 1991.
"""

from musicgen.convert.synthesis.playing import music_to_audio

__all__ = ["music_to_audio"]
