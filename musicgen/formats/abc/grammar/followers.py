"""Which texts can follow in the music."""

from __future__ import annotations

from typing import TYPE_CHECKING

from musicgen.formats.abc.grammar.body import Place
from musicgen.formats.abc.grammar.outlook import APART, Outlook

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from musicgen.formats.abc.grammar.body import Body
    from musicgen.formats.abc.grammar.liveness import Liveness
    from musicgen.formats.abc.grammar.reading import Reader

__all__ = ["Followers"]

MAX_KNOWN = 100_000

_Table = dict[str, dict[str, list[str]]]


class Followers:
    """Finds the texts that can follow in the music, by trying one text of each kind.

    Parameters
    ----------
    reader
        What reads the music.
    liveness
        What tells whether it can be completed.
    """

    def __init__(self, reader: Reader, liveness: Liveness) -> None:
        lexicon = reader.lexicon
        self._reader, self._liveness = reader, liveness
        texts = lexicon.music
        self._each = _table((text, text) for text in texts)
        kinds = [(lexicon.kind(text), text) for text in texts]
        self._kinds = _table(kinds)
        self._continuations = _table(pair for pair in kinds if pair[1][0] in ",'<>/0123456789")
        self.outlook = Outlook(reader, liveness, texts)
        self._known: dict[Hashable, frozenset[str]] = {}

    def after(self, body: Body) -> frozenset[str]:
        """Return the texts that can follow."""
        if body.place != Place.NOTE or body.tie:
            table = self._each if body.tie or body.place in APART else self._kinds
            return self._find(self.outlook.digest(body), body, table)
        # All that does not go on with the sound follows as it does when the sound is over.
        found = self._find(self.outlook.of_length(body), body, self._continuations)
        after = self._reader.sounds.committed(body)
        return found | self.after(after) if after is not None else found

    def _find(self, digest: Hashable, body: Body, table: _Table) -> frozenset[str]:
        found = self._known.get(digest)
        if found is None:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            found = self._known[digest] = frozenset(self._try(body, table))
        return found

    def _try(self, body: Body, table: _Table) -> Iterator[str]:
        for first, kinds in table.items():
            begun = self._reader.read(body, first)
            if begun is None:
                continue
            for rest, texts in kinds.items():
                state = self._reader.read_all(begun, rest)
                if state is not None and self._liveness.lives(state):
                    yield from texts


def _table(pairs: Iterable[tuple[str, str]]) -> _Table:
    """Sort texts by the first character, and by the other ones, of what they are like."""
    table: _Table = {}
    for kind, text in pairs:
        table.setdefault(kind[0], {}).setdefault(kind[1:], []).append(text)
    return table
