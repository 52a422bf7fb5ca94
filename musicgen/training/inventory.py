"""What was found in a folder, and what became of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

__all__ = ["Inventory", "Tally"]


@dataclass(slots=True)
class Tally:
    """Number of files of one format.

    Attributes
    ----------
    read
        Those that gave pieces as they are.
    converted
        Those whose pieces were turned into pieces of another kind.
    left_out
        Those that gave none.
    """

    read: int = 0
    converted: int = 0
    left_out: int = 0


@dataclass(slots=True)
class Inventory:
    """What was found in a folder.

    Attributes
    ----------
    pieces
        Number of different pieces.
    duplicates
        Pieces left out because the same music was there already.
    tallies
        Files by the name of their format; ``"unknown"`` where they are of none.
    left_out
        Files and pieces that were left out, each with the reason.
    repaired
        Files that were read or converted with repairs, each with what was repaired.
    fingerprint
        SHA-256 of all pieces, as hexadecimal text.
    """

    pieces: int = 0
    duplicates: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    left_out: list[tuple[Path, str]] = field(default_factory=list)
    repaired: list[tuple[Path, str]] = field(default_factory=list)
    fingerprint: str = ""

    @property
    def files(self) -> int:
        """Number of files that the pieces came from."""
        return sum(tally.read + tally.converted for tally in self.tallies.values())

    def state(self, root: Path) -> dict[str, Any]:
        """Return JSON-able values; `root` is the corpus's folder, which may be moved."""
        paths = {
            name: [[str(file.relative_to(root)), reason] for file, reason in files]
            for name, files in (("left_out", self.left_out), ("repaired", self.repaired))
        }
        return asdict(self) | paths | {"root": str(root)}

    @classmethod
    def from_state(cls, state: dict[str, Any], root: Path) -> Self:
        """Make it again for the folder `root`."""
        state = dict(state)
        former = state.pop("root")
        for name in ("left_out", "repaired"):
            state[name] = [
                (root / file, reason.replace(former, str(root))) for file, reason in state[name]
            ]
        tallies = {name: Tally(**tally) for name, tally in state.pop("tallies").items()}
        return cls(tallies=tallies, **state)
