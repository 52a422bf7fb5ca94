"""A piece, note by note, into samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from musicgen.convert.synthesis.drums import drum, drum_seconds
from musicgen.convert.synthesis.mixing import ROOM_SECONDS, add_room, set_level
from musicgen.convert.synthesis.scheduling import BRIGHTNESS_STEPS, Sound, Strike, schedule
from musicgen.convert.synthesis.timbres import timbre
from musicgen.convert.synthesis.tones import BLOCK, tone
from musicgen.errors import FormatError
from musicgen.music import Audio

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from musicgen.music import Music

__all__ = ["music_to_audio"]

SLOWEST_RATE, FASTEST_RATE = 4000, 192_000
LAST_FADE = 0.05


def music_to_audio(music: Music, *, rate: int = 44100, seed: int = 0, reverb: float = 0.2) -> Audio:
    """Play a piece with synthesised instruments, in stereo.

    The timbres follow the families of General MIDI. A tone that several notes share is computed
    once and in blocks, so that beside the result, 8 bytes a sample, an hour of music needs no more
    memory than a minute.

    Parameters
    ----------
    music
        The piece; 120 quarter notes a minute where it names no tempo.
    rate
        Samples a second, 4,000 to 192,000. Partials from half of it on are left out.
    seed
        Of the random generator for phases, noise and echoes.
    reverb
        Strength of the echoes of a small hall; 0 for none.

    Returns
    -------
    Audio
        ``(n_samples, 2)``. It starts with tick 0 and ends when the last note has died away. A
        piece of velocity 80 has a root mean square of −17 dB below full scale where it sounds,
        unless a peak would pass 0.95; a softer one is softer. Without notes there are no samples.

    Raises
    ------
    FormatError
        When the rate, a note or a tempo is impossible, or the piece lasts longer than two hours.

    Examples
    --------
    >>> from musicgen.music import Music, Note, Track
    >>> audio = music_to_audio(Music(480, tracks=[Track(notes=[Note(0, 69, 480)])]), rate=8000)
    >>> audio.samples.shape[1], audio.rate, bool(abs(audio.samples).max() <= 0.95)
    (2, 8000, True)
    """
    if not SLOWEST_RATE <= rate <= FASTEST_RATE:
        raise FormatError(f"{rate} samples a second, expected {SLOWEST_RATE} to {FASTEST_RATE}")
    strikes = schedule(music, rate)
    if not strikes:
        return Audio(np.zeros((0, 2), np.float32), rate)
    length = max(_end(sound, notes, rate) for sound, notes in strikes.items())
    length += round(ROOM_SECONDS * rate) if reverb else 0
    mix = np.zeros((2, length), np.float32)
    for sound, notes in strikes.items():
        _add(mix, sound, notes, rate, seed)
    if reverb:
        add_room(mix, rate, reverb, np.random.default_rng(seed))
    fade = min(round(LAST_FADE * rate), length)
    mix[:, length - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    velocities = [note.velocity for track in music.tracks for note in track.notes]
    set_level(mix, sum(velocities) / len(velocities))
    return Audio(mix.T, rate)


def _release(sound: Sound, rate: int) -> int:
    return max(round(timbre(sound.program).release * rate), 1)


def _held(sound: Sound, note: Strike, rate: int) -> int:
    """Return how many samples a note is held: long enough to be heard at all."""
    return max(note.stop - note.start, round(timbre(sound.program).attack * rate))


def _end(sound: Sound, notes: list[Strike], rate: int) -> int:
    if sound.is_drum:
        return max(note.start for note in notes) + round(drum_seconds(sound.pitch) * rate)
    return max(note.start + _held(sound, note, rate) for note in notes) + _release(sound, rate)


def _add(
    mix: npt.NDArray[np.float32], sound: Sound, notes: list[Strike], rate: int, seed: int
) -> None:
    """Add all notes of one sound."""
    rng = np.random.default_rng([seed, sound.is_drum, sound.program, sound.pitch])
    if sound.is_drum:
        whole = drum(sound.pitch, rate, rng)
        for note in notes:
            _add_part(mix, note, 0, whole)
        return
    release = _release(sound, rate)
    fade = (np.cos(np.linspace(0, np.pi / 2, release, dtype=np.float32)) ** 2).astype(np.float32)
    playing = [(note, _held(sound, note, rate)) for note in notes]
    for start, block in _blocks(sound, rate, rng):
        playing = [(note, held) for note, held in playing if held + release > start]
        if not playing:
            return
        for note, held in playing:
            part = block[: held + release - start]
            if held < start + len(part):
                part = part.copy()
                at = max(held - start, 0)
                into = start + at - held
                part[at:] *= fade[into : into + len(part) - at]
            _add_part(mix, note, start, part)


def _blocks(
    sound: Sound, rate: int, rng: np.random.Generator
) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    brightness = sound.brightness / BRIGHTNESS_STEPS
    played = tone(timbre(sound.program), sound.pitch, brightness, rate, rng)
    for number, block in enumerate(played):
        yield number * BLOCK, block


def _add_part(
    mix: npt.NDArray[np.float32], note: Strike, start: int, part: npt.NDArray[np.float32]
) -> None:
    at = note.start + start
    mix[0, at : at + len(part)] += part * np.float32(note.left)
    mix[1, at : at + len(part)] += part * np.float32(note.right)
