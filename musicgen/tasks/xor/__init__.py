"""Exclusive or: the smallest problem that a single neuron cannot solve.

>>> [check.name for check in TASK.checks], list(TASK.studies)
(['matrices', 'neurons'], ['hidden sizes', 'decision surface', 'optimisers'])
"""

from musicgen.tasks.base import Check, Task
from musicgen.tasks.xor.hidden_sizes import study_hidden_sizes
from musicgen.tasks.xor.network import learn_by_matrices, learn_by_neurons
from musicgen.tasks.xor.optimisers import study_optimisers
from musicgen.tasks.xor.surface import study_surface

__all__ = ["TASK"]

_UNIT = "share of the four outputs within 0.1 of their targets"

TASK = Task(
    "xor",
    "exclusive or, by neurons and by matrices",
    [
        Check("matrices", _UNIT, 1.0, learn_by_matrices),
        Check("neurons", _UNIT, 1.0, learn_by_neurons),
    ],
    {
        "hidden sizes": study_hidden_sizes,
        "decision surface": study_surface,
        "optimisers": study_optimisers,
    },
)
