"""What is wrong with a file, told once a kind however often it occurs."""

from __future__ import annotations

from typing import NamedTuple

from musicgen.errors import FormatError

__all__ = ["Repairs"]


class Fault(NamedTuple):
    """The first fault of a kind.

    Attributes
    ----------
    offset
        Byte offset of the first one.
    detail
        What was found there.
    times
        How many there are.
    """

    offset: int
    detail: str
    times: int


class Repairs:
    """The faults found while a file was read.

    Examples
    --------
    >>> repairs = Repairs()
    >>> for offset in range(20, 2000):
    ...     repairs.add("ignored an impossible key signature", offset, "bytes 0b 00")
    >>> repairs.lose("truncated", 2000)
    >>> for text in repairs.texts():
    ...     print(text)
    byte 20: ignored an impossible key signature: bytes 0b 00 (1980 times)
    byte 2000: truncated
    """

    def __init__(self) -> None:
        self.faults: dict[str, Fault] = {}
        self.losses: list[str] = []

    def add(self, kind: str, offset: int, detail: str = "") -> None:
        """Record a fault that was mended, or that concerns nothing that sounds."""
        first = self.faults.get(kind, Fault(offset, detail, 0))
        self.faults[kind] = first._replace(times=first.times + 1)

    def lose(self, kind: str, offset: int, detail: str = "") -> None:
        """Record a fault at which a part of the file was lost."""
        if kind not in self.faults:
            self.losses.append(kind)
        self.add(kind, offset, detail)

    def texts(self) -> list[str]:
        """Describe each kind of fault in a line, in the order in which they were met."""
        return [
            f"byte {fault.offset}: {_text(kind, fault)}"
            + (f" ({fault.times} times)" if fault.times > 1 else "")
            for kind, fault in self.faults.items()
        ]

    def refuse_if_lossy(self) -> None:
        """Refuse a file of which too little is left.

        Raises
        ------
        FormatError
            With the first loss, if there is one.
        """
        for kind in self.losses[:1]:
            fault = self.faults[kind]
            raise FormatError(
                _text(kind, fault), offset=fault.offset, hint="no note is left that could be read"
            )


def _text(kind: str, fault: Fault) -> str:
    return f"{kind}: {fault.detail}" if fault.detail else kind
