"""How notes are written down: what every written notation shares, whatever its signs.

`quantisation` moves notes to a grid, `metre` and `bars` set beats and bar lines, `voices` parts
notes that overlap, `segments` cuts a voice at the bars, `rhythm`, `values` and `tuplets` find the
lengths to write, `spelling` names and accidentals. Times are parts of a whole note.
"""
