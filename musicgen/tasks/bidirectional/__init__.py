"""A missing note of a tune, found from both sides.

One LSTM reads a phrase forwards, another one backwards. What the first has read before a place and
the second behind it tells which note is missing there. In one pass every note of a phrase is the
missing one once.

>>> [check.name for check in TASK.checks], list(TASK.studies)
(['both sides', 'advantage'], ['one side or both', 'one tune'])
"""

from musicgen.tasks.base import Check, Task
from musicgen.tasks.bidirectional.learning import compare_sides, find_from_both_sides
from musicgen.tasks.bidirectional.studies import study_sides, study_tune

__all__ = ["TASK"]

TASK = Task(
    "bidirectional",
    "a missing note found from both sides",
    [
        Check("both sides", "share of notes found", 0.55, find_from_both_sides),
        Check("advantage", "share of notes found more than from one side", 0.15, compare_sides),
    ],
    {"one side or both": study_sides, "one tune": study_tune},
)
