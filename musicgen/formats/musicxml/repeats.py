"""The order in which the measures of a score are played."""

from __future__ import annotations

from typing import TYPE_CHECKING

from musicgen.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from musicgen.formats.musicxml.score import Signs

__all__ = ["order_of_play"]

LONGEST = 100_000


def order_of_play(signs: Sequence[Signs]) -> list[int]:
    """Unfold repeats, variant endings and jumps.

    A repeat without a start goes back to the one before, or to the first measure. After a jump back
    (D.C., D.S.) repeats are not taken again, the last ending is played, and *Fine* and *To Coda*
    count.

    Parameters
    ----------
    signs
        Those of each measure, in the order of the page.

    Returns
    -------
    list of int
        Indices of measures in the order of play.

    Raises
    ------
    FormatError
        When more than 100,000 measures would be played.

    Examples
    --------
    >>> from musicgen.formats.musicxml.score import Signs
    >>> order_of_play([Signs(), Signs(times=2, ending=(1,)), Signs(ending=(2,)), Signs(fine=True)])
    [0, 1, 0, 2, 3]
    """
    order: list[int] = []
    endings = _endings(signs)
    coda = next((place for place, sign in enumerate(signs) if sign.coda), 0)
    at, start, turn, jumped = 0, 0, 1, False
    while at < len(signs):
        if len(order) > LONGEST:
            raise FormatError(
                f"the repeats unfold to more than {LONGEST:,} measures",
                hint="read the file with unfold=False",
            )
        here = signs[at]
        if here.starts_repeat and at != start:
            start, turn = at, 1
        after, last, passes = endings.get(at, (at + 1, at, here.times))
        if here.ending and (passes if jumped else turn) not in here.ending:
            at = after
            if at > last:
                start, turn = at, 1
            continue
        order.append(at)
        if jumped and here.fine:
            break
        if jumped and here.to_coda and coda > at:
            at = start = coda
            continue
        if here.times and not jumped and turn < max(passes, here.times):
            at, turn = start, turn + 1
            continue
        if not jumped and (here.da_capo or here.dal_segno):
            jumped = True
            back = 0 if here.da_capo else _segno(signs, at)
            if back is not None:
                at = start = back
                continue
        if here.times or (here.ending and at == last):
            # All passes are played: what follows starts anew.
            at = start = last + 1
            turn = 1
        else:
            at += 1
    return order


def _segno(signs: Sequence[Signs], before: int) -> int | None:
    return next((place for place in range(before, -1, -1) if signs[place].segno), None)


def _endings(signs: Sequence[Signs]) -> dict[int, tuple[int, int, int]]:
    """Find for each measure of a variant ending what the order of play turns on.

    Returns
    -------
    dict
        The measure after the ending, the last measure of its group of endings, and the number of
        passes of the group.
    """
    found: dict[int, tuple[int, int, int]] = {}
    group: list[int] = []
    passes: list[int] = []
    for at, sign in enumerate([*signs, None]):
        is_new = sign is None or not sign.ending or sign.starts_repeat
        if group and (is_new or (sign is not None and sign.starts_ending and sign.ending[0] == 1)):
            after, most = at, max(passes)
            for place in reversed(group):
                if place + 1 < at and _starts_another(signs[place], signs[place + 1]):
                    after = place + 1
                found[place] = after, at - 1, most
            group, passes = [], []
        if sign is not None and sign.ending:
            group.append(at)
            passes.append(sign.ending[-1])
    return found


def _starts_another(before: Signs, sign: Signs) -> bool:
    return sign.starts_ending or sign.ending != before.ending
