"""The form of a tune while it is written: measures, repeats and endings."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Form", "Repeat"]

UNKNOWN = -1

MAX_SPLITS = 4
"""A tune has a few sections with a pickup; a model that has learned little splits every bar."""


class Repeat:
    """Where among repeats the text stands."""

    IMPLIED = 0
    """None is open; ``:|`` may go back to where the section starts."""
    OPEN = 1
    """After ``|:``."""
    FIRST = 2
    """In the first ending."""
    DUE = 3
    """After the first ending: the second one must follow."""
    SECOND = 4
    """In the second ending."""


class Form(NamedTuple):
    """What has been written of a tune, as far as it decides what can follow.

    A tune may start with a pickup: a part of a bar, which the last bar lacks. Repeats and sections
    start and end with whole bars, or as far before the end of a bar as the pickup is long; such a
    bar is completed by what is played next.

    Attributes
    ----------
    whole
        Length of a bar, in ticks.
    measures
        How many are left to write, the one that goes on included; 0 when the tune is over.
    exact
        Whether all of them must be written.
    pickup
        Length of the pickup; 0 where there is none, −1 before the first bar line.
    repeat
        Where among repeats the text stands.
    early
        Whether the section that ``:|`` goes back to starts with a pickup.
    repeated
        Whether there was a repeat: ``:|`` goes back to the start of the tune until then.
    splits
        How many bars a double bar line may still split.
    """

    whole: int
    measures: int
    exact: bool
    pickup: int = UNKNOWN
    repeat: int = Repeat.IMPLIED
    early: bool = False
    repeated: bool = False
    splits: int = MAX_SPLITS

    @property
    def is_first(self) -> bool:
        """Whether no bar line has come."""
        return self.pickup == UNKNOWN

    @property
    def is_over(self) -> bool:
        """Whether nothing can follow."""
        return not self.measures

    def targets(self) -> tuple[int, ...]:
        """Return what a measure may lack, in ticks, when a bar line comes; not for the first."""
        back = self.pickup if self.early else 0
        if self.measures == 1:
            return (back if self.repeat == Repeat.OPEN else self.pickup,)
        if self.measures == 2 and self.repeat == Repeat.FIRST:
            return (back,)
        return (0, self.pickup) if self.pickup else (0,)

    def may_end(self, kind: str, lack: int) -> bool:
        """Whether the tune may end with a bar line, `lack` ticks before the measure does."""
        if self.exact and self.measures > 1:
            return False
        if lack if self.is_first else lack not in self.targets():
            return False
        if kind == ":|":
            return self._goes_back(lack) and self.repeat != Repeat.FIRST
        return kind in ("|", "||") and self.repeat in (Repeat.IMPLIED, Repeat.SECOND)

    def after(self, kind: str, lack: int, ending: int = 0) -> Form | None:
        """Return the form after a bar line that more is to follow; None where it cannot stand.

        Parameters
        ----------
        kind
            ``"|"``, ``"||"``, ``"|:"``, ``":|"`` or ``"::"``.
        lack
            Ticks that the measure lacks.
        ending
            Number of the ending that starts there, or 0.
        """
        if self.is_first and lack:
            return None if ending else self._after_pickup(kind, lack)
        form = self._after_measure(kind, lack)
        return form.enter(ending) if form is not None and ending else form

    def enter(self, ending: int) -> Form | None:
        """Return the form in an ending that starts here, after a whole bar."""
        if ending == 2:
            return self._replace(repeat=Repeat.SECOND) if self.repeat == Repeat.DUE else None
        is_open = self.repeat == Repeat.OPEN or self._goes_to_start
        if is_open and self.measures >= 2:
            return self._replace(repeat=Repeat.FIRST, repeated=True)
        return None

    def opened(self) -> Form:
        """Return the form of a tune that starts with ``|:``."""
        return self._replace(repeat=Repeat.OPEN, repeated=True)

    def _after_pickup(self, kind: str, lack: int) -> Form | None:
        form = self._replace(pickup=self.whole - lack, early=True)
        if kind == "|" or (kind == "||" and self.repeat == Repeat.IMPLIED):
            return form
        if kind == "|:" and self.repeat == Repeat.IMPLIED:
            return form._replace(repeat=Repeat.OPEN, early=False, repeated=True)
        return None

    def _after_measure(self, kind: str, lack: int) -> Form | None:
        form = self._replace(pickup=0) if self.is_first else self
        if lack not in form.targets():
            return None
        left = form.measures - (not lack)
        if form.repeat == Repeat.FIRST:
            left = form.measures - 1
            if kind == ":|":
                can = form._goes_back(lack) and left
                return form._replace(measures=left, repeat=Repeat.DUE) if can else None
            return form._replace(measures=left) if kind == "|" and not lack and left > 1 else None
        if not left or (lack and form.measures == 1):
            return None
        form = form._replace(measures=left)
        match kind:
            case "|":
                return None if lack else form
            case "||":
                if form.repeat == Repeat.OPEN:
                    return None
                if lack and not form.splits:
                    return None
                early = bool(lack) if form.repeated else form.early
                splits = form.splits - bool(lack)
                return form._replace(repeat=Repeat.IMPLIED, early=early, splits=splits)
            case "|:":
                if form.repeat == Repeat.OPEN:
                    return None
            case _:
                # Players want another repeat to be opened before it is closed by "::".
                is_open = kind == ":|" or form.repeat == Repeat.OPEN or form._goes_to_start
                if not is_open or not self._goes_back(lack):
                    return None
        repeat = Repeat.IMPLIED if kind == ":|" else Repeat.OPEN
        return form._replace(repeat=repeat, early=bool(lack), repeated=True)

    @property
    def _goes_to_start(self) -> bool:
        """Whether a repeat may end here that starts with the tune."""
        return self.repeat == Repeat.IMPLIED and not self.repeated

    def _goes_back(self, lack: int) -> bool:
        """Whether ``:|`` may stand here."""
        is_open = self.repeat in (Repeat.IMPLIED, Repeat.OPEN, Repeat.FIRST)
        pickup = max(self.pickup, 0)
        return is_open and lack == (pickup if self.early else 0)
