"""Speed, level and memory of the synthesiser, and memory of reading long sound files.

    python benchmarks/synthesis.py
    python benchmarks/synthesis.py --soundfont FluidR3_GM.sf2
    python benchmarks/synthesis.py --hour

The chorale is BWV 269 from the music21 package, four voices at 44,100 Hz in stereo. Each row is
the fastest of five runs in one process, warmed up: seconds of music a second of work, loudness
where it sounds and highest peak. With `--soundfont` fluidsynth, where it is installed, plays the
same chorale from a MIDI file, the time in which it loads the sounds taken off.

With `--hour` an hour of that chorale is played, and an hour of 44,100 Hz stereo is read in blocks,
each in a process of its own, whose largest resident size is printed as the system reports it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import soundfile

from musicgen.convert import music_to_audio
from musicgen.datasets.chorales import read_chorale
from musicgen.formats import midi, wav
from musicgen.music import Music

RUNS = 5
RATE = 44100
PROGRAMS = {"piano": 0, "church organ": 19, "guitar": 24, "strings": 48, "choir": 52, "flute": 73}


def chorale(program: int) -> Music:
    """Return the chorale, sung by one instrument."""
    from music21.corpus import getWork

    music = read_chorale(Path(getWork("bach/bwv269")), "BWV 269")
    for track in music.tracks:
        track.program = program
    return music


def report(name: str, seconds: float, taken: float, samples: np.ndarray) -> None:
    """Print a row."""
    sounding = samples[: int(seconds * RATE)]
    level = 20 * np.log10(np.sqrt(np.mean(np.square(sounding, dtype=np.float64))))
    print(
        f"{name:18} {seconds / taken:5.0f} × real time  "
        f"{level:6.1f} dB  peak {np.abs(samples).max():.2f}"
    )


def speed(soundfont: str | None) -> None:
    """Play the chorale with several instruments, and with fluidsynth."""
    for name, program in PROGRAMS.items():
        music = chorale(program)
        audio = music_to_audio(music)
        taken = fastest(music_to_audio, music)
        report(name, music.seconds, taken, audio.samples)
    if soundfont is None or shutil.which("fluidsynth") is None:
        print("fluidsynth: not asked for, or not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder) / "a.mid", Path(folder) / "a.wav"
        command = ["fluidsynth", "-ni", "-r", str(RATE), "-F", str(sound), soundfont]
        load = fastest(quiet, [*command, "/dev/null"])
        for name, program in PROGRAMS.items():
            music = chorale(program)
            midi.write(music, score)
            taken = fastest(quiet, [*command, str(score)]) - load
            report(f"fluid {name}", music.seconds, taken, wav.read(sound)[0].samples)


def fastest(work: Callable[..., object], *arguments: object) -> float:
    """Return the seconds of the fastest of some calls."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work(*arguments)
        times.append(time.perf_counter() - start)
    return min(times)


def quiet(command: list[str]) -> None:
    """Run a program whose words nobody needs."""
    subprocess.run(command, capture_output=True, check=False)


def play_hour(path: Path) -> str:
    """Play the chorale again and again."""
    music = chorale(52)
    for track in music.tracks:
        notes, length = track.notes, music.end
        times = range(0, 3600 * 2 * music.resolution - length, length)
        track.notes = [note._replace(time=note.time + start) for start in times for note in notes]
    audio = music_to_audio(music)
    return (
        f"played {len(audio.samples) / RATE / 60:.1f} minutes, {audio.samples.nbytes / 1e6:.0f} MB"
    )


def read_hour(path: Path) -> str:
    """Read an hour of sound in blocks."""
    minutes = sum(len(block.samples) for block in wav.blocks(path)) / RATE / 60
    return f"read {minutes:.1f} minutes in blocks"


def resample_hour(path: Path) -> str:
    """Read an hour of sound in blocks, at half the rate and in mono."""
    blocks = wav.blocks(path, rate=RATE // 2, mono=True)
    minutes = sum(len(block.samples) for block in blocks) / (RATE // 2) / 60
    return f"read {minutes:.1f} minutes in blocks, mono at {RATE // 2} Hz"


def measure(job: str, path: Path, answer: Connection) -> None:
    """Send what a job says, and the largest resident size."""
    start = time.perf_counter()
    said = globals()[job](path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    answer.send(f"{said}: {time.perf_counter() - start:.1f} s, peak {peak / 1e6:.0f} MB")


def hour() -> None:
    """Print what an hour takes."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hour.wav"
        minute = np.random.default_rng(0).integers(-3000, 3000, (60 * RATE, 2)).astype(np.int16)
        with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as file:
            for _ in range(60):
                file.write(minute)
        for job in ("read_hour", "resample_hour", "play_hour"):
            here, there = context.Pipe()
            process = context.Process(target=measure, args=(job, path, there))
            process.start()
            print(here.recv())
            process.join()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--soundfont", help="a .sf2 file: let fluidsynth play the same chorale")
    parser.add_argument("--hour", action="store_true", help="measure memory on an hour of sound")
    chosen = parser.parse_args()
    if chosen.hour:
        hour()
    else:
        speed(chosen.soundfont)


if __name__ == "__main__":
    main()
