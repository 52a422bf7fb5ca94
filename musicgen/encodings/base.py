"""The contract that every encoding fulfils."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from musicgen.errors import EncodingError

__all__ = [
    "BOUNDARY",
    "Encoding",
    "Frames",
    "Symbols",
    "Unconstrained",
    "boundary_frame",
    "refuse",
    "up_to_boundary",
]

Symbols = npt.NDArray[np.int32]
Frames = npt.NDArray[Any]
"""Numbers, or bytes where they are 0 and 1."""

BOUNDARY = 0
"""The symbol, or the channel of a frame, that stands between two pieces."""


class Encoding(Protocol):
    """Pieces of one kind ↔ sequences of symbols or of frames.

    A categorical encoding gives symbols, numbered from 0, one a step. The others give frames, D
    numbers a step. Symbol 0 is the boundary: it ends every piece, and the first symbol of a piece
    is predicted from it. With frames, `boundary_frame` plays this part.

    Attributes
    ----------
    name
        Short name, stored in model files.
    kind
        `Tune`, `Music` or `Audio`.
    head
        What the network predicts of the next step: ``"categorical"``, one symbol out of `size`;
        ``"bernoulli"``, yes or no for each channel; ``"gaussian"``, a value for each channel.
    unit
        What a step is called: ``"character"``, ``"frame"``, …
    losses
        What ``decode(encode(piece))`` does not keep, as plain sentences; empty when it keeps all.
    never
        Symbols that must not be drawn.

    Notes
    -----
    An encoding that can say which steps tell which note has one method more, `align`: see
    `musicgen.encodings.alignment`.
    """

    name: ClassVar[str]
    kind: ClassVar[type[Any]]
    head: ClassVar[str]
    unit: ClassVar[str]
    losses: ClassVar[tuple[str, ...]]
    never: ClassVar[tuple[int, ...]]

    @property
    def usual_length(self) -> int:
        """Most symbols or frames of a sample, where no number is asked for."""

    @classmethod
    def fit(cls, pieces: Iterable[Any]) -> Self:
        """Make the encoding that suits these pieces; give it training pieces only.

        The pieces are gone through once, and may be more than memory holds; those that could not be
        encoded are passed over. Encodings that leave a
        choice take it as further keyword arguments, each with a default.

        Raises
        ------
        EncodingError
            For an impossible choice.
        """

    @property
    def size(self) -> int:
        """Number of symbols V, or of channels D."""

    def encode(self, piece: Any) -> Symbols | Frames:
        """Return the symbols ``(T,)`` or frames ``(T, D)`` of a piece, the boundary last.

        Raises
        ------
        EncodingError, FormatError
            When the piece cannot be encoded.
        """

    def encode_primer(self, piece: Any) -> Symbols | Frames:
        """Return what a sample continues: symbols ``(T,)`` or frames ``(T, D)``, no boundary.

        Raises
        ------
        EncodingError
            When the piece holds what the training pieces lacked; the message names it.
        """

    def decode(self, array: Any) -> Any:
        """Return the piece of these symbols or frames, up to the first boundary or the end.

        Raises
        ------
        EncodingError, FormatError
            When they make no piece.
        """

    def constraint(
        self,
        *,
        key: str | None = None,
        metre: str | None = None,
        bars: int | None = None,
        title: str | None = None,
    ) -> Any:
        """Return what keeps one sample sound and to these conditions, or None.

        Returns
        -------
        object or None
            With the methods of `musicgen.sampling.Constraint`; None where anything may follow.

        Raises
        ------
        EncodingError
            For a condition that cannot be kept.
        """

    def state(self) -> dict[str, Any]:
        """Return what `from_state` needs: JSON-able values, and numpy arrays."""

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Make the encoding again."""


def refuse(encoding: str, **conditions: object) -> None:
    """Refuse conditions that an encoding knows nothing of, but for a title, which binds nothing.

    Raises
    ------
    EncodingError
        When one is given.
    """
    for name, value in conditions.items():
        if name != "title" and value is not None:
            raise EncodingError(
                f"a sample of {encoding} cannot be asked for a {name.rstrip('s')}: its model "
                "decides; tokens, characters, score-grid and chords can"
            )


def boundary_frame(size: int) -> Frames:
    """Return the frame ``(D,)`` that ends a piece: 1 in channel 0, the others 0."""
    frame = np.zeros(size, np.float32)
    frame[BOUNDARY] = 1
    return frame


def up_to_boundary(frames: npt.ArrayLike) -> Frames:
    """Return the frames ``(T, D)`` before the first boundary, or all.

    Examples
    --------
    >>> up_to_boundary([[0, 5], [1, 0], [0, 7]])
    array([[0, 5]])
    """
    array = np.asarray(frames)
    ends = np.flatnonzero(array[:, BOUNDARY] >= 0.5)
    return array[: ends[0]] if len(ends) else array


class Unconstrained:
    """What encodings share whose frames may follow each other in any order."""

    name: ClassVar[str]

    def constraint(
        self,
        *,
        key: str | None = None,
        metre: str | None = None,
        bars: int | None = None,
        title: str | None = None,
    ) -> None:
        """Return None: any frame may follow any other.

        Raises
        ------
        EncodingError
            For a condition other than a title, which binds nothing.
        """
        refuse(self.name, key=key, metre=metre, bars=bars)
