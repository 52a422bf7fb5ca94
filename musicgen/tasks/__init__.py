"""The sanity tasks: classic problems that a working engine solves, and the report's studies.

>>> from musicgen.tasks import NAMES, find_task
>>> find_task("xor").title
'exclusive or, by neurons and by matrices'
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from musicgen.errors import ModelError
from musicgen.tasks.base import Check, Progress, Reached, Study, Table, Task

__all__ = [
    "NAMES",
    "Check",
    "Progress",
    "Reached",
    "Study",
    "Table",
    "Task",
    "find_task",
]

# Each lives in the module of its name: as `TASK`, or made by `task` of a source of data.
_NEEDS_DATA = {
    "xor": False,
    "disc": False,
    "digits": True,
    "reber": False,
    "embedded-reber": False,
    "shakespeare": True,
    "autoencoder": False,
    "bidirectional": False,
}
NAMES = tuple(_NEEDS_DATA)


def find_task(name: str, source: Path | None = None) -> Task:
    """Return a task, ready to run; nothing is downloaded before it does.

    Parameters
    ----------
    name
        One of `NAMES`.
    source
        File or folder of its data, for ``digits`` and ``shakespeare``; by default the data are
        downloaded once, when they are needed.

    Raises
    ------
    ModelError
        When there is no such task, or when it needs no data and got a source.
    CorpusError, FormatError, OSError
        When a folder of digits, which decides about the marks, cannot be read.
    """
    if name not in NAMES:
        raise ModelError(f"no task is called {name!r}; there are: {', '.join(NAMES)}")
    module = import_module(f"musicgen.tasks.{name.replace('-', '_')}")
    if _NEEDS_DATA[name]:
        made: Task = module.task(source)
        return made
    if source is not None:
        raise ModelError(f"the task {name} needs no data; leave --data out")
    own: Task = module.TASK
    return own
