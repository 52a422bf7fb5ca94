"""Music → Audio: in tune, in time, at a fitting level, without clicks."""

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from musicgen import plots
from musicgen.convert import convert, music_to_audio
from musicgen.convert.synthesis.drums import SOUNDS
from musicgen.convert.synthesis.timbres import timbre
from musicgen.errors import FormatError
from musicgen.music import Audio, Music, Note, Tempo, Track, Tune

RATE = 44100
SECOND = [Tempo(0, 60.0)]

# One program for each timbre of the table.
PROGRAMS = sorted({timbre(program): program for program in range(127, -1, -1)}.values())


def play(notes, program=0, tempos=(), rate=RATE, resolution=480, **choices):
    """Play one dry track in seconds; return one channel."""
    track = Track(program, choices.pop("is_drum", False), notes=list(notes))
    music = Music(resolution, list(tempos) or SECOND, tracks=[track])
    return music_to_audio(music, rate=rate, **{"reverb": 0} | choices).samples[:, 0]


def decibels(value):
    return 20 * np.log10(max(float(value), 1e-12))


def level(samples):
    return decibels(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def cents_off(samples, rate, hertz):
    """Return by how much the strongest partial near a frequency misses it."""
    size = 8 * len(samples)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), size))
    bins = np.fft.rfftfreq(size, 1 / rate)
    near = np.flatnonzero((bins > hertz * 0.95) & (bins < hertz * 1.05))
    peak = near[spectrum[near].argmax()]
    low, middle, high = np.log(spectrum[peak - 1 : peak + 2])
    place = peak + 0.5 * (low - high) / (low - 2 * middle + high)
    return 1200 * np.log2(place * rate / size / hertz)


def chorale():
    """Four voices, eight bars: chords of the sort that a chorale has."""
    chords = [(72, 67, 64, 48), (71, 67, 62, 55), (72, 69, 64, 45), (74, 65, 62, 50)] * 8
    tracks = [
        Track(52, notes=[Note(480 * beat, chord[voice], 480, 80) for beat, chord in
                         enumerate(chords)])
        for voice in range(4)
    ]  # fmt: skip
    return Music(480, [Tempo(0, 96.0)], tracks=tracks)


# Pitch and time -----------------------------------------------------------------------------------


@pytest.mark.parametrize("program", PROGRAMS)
def test_in_tune(program):
    for pitch in (45, 60, 84):
        samples = play([Note(0, pitch, 960, 80)], program, rate=16000)[2000:32000]
        hertz = 440 * 2 ** ((pitch - 69) / 12)
        assert abs(cents_off(samples, 16000, hertz)) < 3, pitch


@pytest.mark.parametrize("program", PROGRAMS)
def test_notes_start_and_stop_in_time(program):
    samples = play([Note(480, 69, 480, 80), Note(1440, 69, 480, 80)], program)
    envelope = np.abs(samples)
    assert envelope[: RATE - 1].max() == 0
    loudest = envelope.max()
    sound = timbre(program)
    for start in (RATE, 3 * RATE):
        first = envelope[start - 10 : start + round(0.3 * RATE)]
        assert np.flatnonzero(first > 0.05 * loudest)[0] <= (sound.attack + 0.02) * RATE
    over = 2 * RATE + round(sound.release * RATE) + 1
    assert envelope[over : 3 * RATE].max() == 0


def test_tempo_changes_are_followed():
    tempos = [Tempo(0, 60.0), Tempo(480, 120.0), Tempo(960, 30.0)]
    notes = [Note(time, 69, 24, 80) for time in (0, 480, 960, 1440)]
    envelope = np.abs(play(notes, 12, tempos))
    quiet = envelope < 1e-3 * envelope.max()
    for expected in (0.0, 1.0, 1.5, 3.5):
        start = round(expected * RATE)
        assert start == 0 or quiet[start - 200 : start].all()
        assert not quiet[start : start + 200].all()


def test_no_tempo_is_120():
    music = Music(480, tracks=[Track(notes=[Note(0, 60, 1), Note(960, 60, 1)])])
    samples = np.abs(music_to_audio(music, reverb=0).samples[:, 0])
    assert samples[RATE - 9 : RATE].max() < 1e-3 < samples[RATE : RATE + 500].max()


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_tempos_at_one_tick_the_later_in_the_list_holds(order):
    tempos = [Tempo(0, 60.0), Tempo(0, 120.0)][::order]
    samples = play([Note(0, 60, 480, 80)], 19, tempos, rate=8000)
    alone = play([Note(0, 60, 480, 80)], 19, tempos[1:], rate=8000)
    assert np.array_equal(samples, alone)


def test_partials_beyond_half_the_rate_are_left_out():
    # At 8,000 Hz partials of this note would come back as 8000 − 3·1760 = 2720 Hz, and others.
    for program in (0, 56, 80):
        samples = play([Note(0, 93, 960, 80)], program, rate=8000)[:12000]
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
        bins = np.fft.rfftfreq(len(samples), 1 / 8000)
        own = (np.abs(bins - 1760) < 60) | (np.abs(bins - 3520) < 120)
        mirrored = np.abs(bins - 2720) < 60
        assert decibels(spectrum[mirrored].max() / spectrum[own].max()) < -55


# Level --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("program", [0, 19, 48, 52, 73])
def test_level_of_a_chorale(program):
    music = chorale()
    for track in music.tracks:
        track.program = program
    audio = music_to_audio(music)
    sounding = audio.samples[: int(music.seconds * RATE)]
    assert -20 < level(sounding) < -14
    assert np.abs(audio.samples).max() <= 0.95 + 1e-6
    assert np.abs(audio.samples.mean(axis=0)).max() < 1e-3
    assert level(audio.samples[-1000:]) < -70
    assert np.abs(audio.samples[-1]).max() == 0


def test_a_note_after_the_last_whole_window_is_heard():
    music = Music(480, tracks=[Track(notes=[Note(549, 60, 1)])])
    samples = music_to_audio(music, rate=8000, reverb=0).samples
    sounding = samples[round(music.seconds * 8000) :]
    assert not samples[:4096].any()
    assert len(samples) < 2 * 4096
    assert np.isfinite(samples).all()
    assert 0.05 < np.abs(sounding).max() <= 0.95 + 1e-6


def test_soft_pieces_stay_softer():
    loud, soft = (level(play([Note(0, 60, 960, velocity)], 73)) for velocity in (80, 40))
    assert 5 < loud - soft < 7


def test_velocity_is_loudness_and_brightness():
    samples = play([Note(0, 60, 480, 40), Note(960, 60, 480, 100)])
    soft, loud = samples[:RATE], samples[2 * RATE : 3 * RATE]
    assert level(loud) - level(soft) > 6

    def centroid(part):
        power = np.abs(np.fft.rfft(part)) ** 2
        return (power * np.arange(len(power))).sum() / power.sum()

    assert centroid(loud) > 1.1 * centroid(soft)


def test_tracks_stand_side_by_side():
    tracks = [Track(73, notes=[Note(0, pitch, 960, 80)]) for pitch in (60, 79)]
    left, right = music_to_audio(Music(480, SECOND, tracks=tracks), reverb=0).samples[:RATE].T
    low, high = round(440 * 2 ** (-9 / 12)), round(440 * 2 ** (10 / 12))
    spectra = [np.abs(np.fft.rfft(side * np.hanning(RATE))) for side in (left, right)]
    assert spectra[0][low] > 1.3 * spectra[1][low]
    assert spectra[1][high] > 1.3 * spectra[0][high]


# No clicks ----------------------------------------------------------------------------------------


def above(samples, hertz):
    """Return what is left of samples above a frequency."""
    spectrum = np.fft.rfft(samples)
    spectrum[: int(hertz * len(samples) / RATE)] = 0
    return np.abs(np.fft.irfft(spectrum, len(samples)))


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_clicks(program):
    # A click is a burst at all frequencies; a low note has next to nothing at the highest.
    notes = [Note(0, 48, 960, 80), Note(700, 48, 500, 80), Note(1201, 52, 37, 80)]
    samples = play(notes, program)
    assert decibels(above(samples, 18000).max() / np.abs(samples).max()) < -60


def test_a_click_would_be_found():
    samples = play([Note(0, 48, 960, 80)], 73).copy()
    samples[RATE:] = 0
    assert decibels(above(samples, 18000).max() / np.abs(samples).max()) > -50


@pytest.mark.parametrize("pitch", sorted(SOUNDS))
def test_drums(pitch):
    samples = play([Note(0, pitch, 10, 100)], is_drum=True)
    peak = np.abs(samples).max()
    assert 0.3 < peak <= 0.95 + 1e-6
    assert abs(samples[0]) < 1e-3
    assert abs(samples[-1]) < 1e-3
    assert abs(samples.mean()) < 2e-3 * peak
    assert level(samples[-len(samples) // 20 :]) < level(samples) - 30


def test_drums_differ():
    def brightness(pitch):
        power = np.abs(np.fft.rfft(play([Note(0, pitch, 10, 100)], is_drum=True), RATE)) ** 2
        return (power * np.arange(len(power))).sum() / power.sum()

    assert brightness(36) < 150 < brightness(45) < brightness(38) < 6000 < brightness(42)


# Odd pieces ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("music", [Music(), Music(tracks=[Track(), Track(is_drum=True)])])
def test_no_notes_no_samples(music):
    audio = music_to_audio(music)
    assert (audio.samples.shape, audio.samples.dtype, audio.rate) == ((0, 2), np.float32, RATE)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("rate", [8000, 44100])
def test_every_pitch_and_the_shortest_notes(program, rate):
    notes = [Note(48 * k, pitch, 1 + 20 * (k % 2), 127) for k, pitch in enumerate((0, 1, 60, 127))]
    samples = play(notes, program, rate=rate)
    assert np.isfinite(samples).all()
    assert 0.01 < np.abs(samples).max() <= 0.95 + 1e-6


def test_one_tick_is_heard():
    for program in PROGRAMS:
        short = play([Note(0, 60, 1, 80), Note(480, 60, 480, 80)], program)
        assert np.abs(short[: RATE // 2]).max() > 0.1 * np.abs(short).max(), program


def test_a_pitch_struck_again_is_not_doubled():
    once = play([Note(0, 60, 480, 80), Note(480, 60, 480, 80)], 19)
    over = play([Note(0, 60, 960, 80), Note(480, 60, 480, 80)], 19)
    twice = play([Note(0, 60, 480, 80), Note(0, 60, 240, 80), Note(480, 60, 480, 80)], 19)
    assert np.array_equal(once, over)
    assert np.array_equal(once, twice)


def test_the_slowest_tempo():
    assert 60 * RATE <= len(play([Note(0, 60, 480, 80)], tempos=[Tempo(0, 1.0)])) < 61 * RATE


@pytest.mark.parametrize(
    ("music", "message"),
    [
        (Music(480, SECOND, tracks=[Track(notes=[Note(0, 60, 480 * 36000)])]), "lasts 10.0 hours"),
        (Music(480, SECOND, tracks=[Track(notes=[Note(2**60, 60, 1)])]), "found Note"),
        (Music(480, [Tempo(0, 1e-5)], tracks=[Track(notes=[Note(0, 60, 480)])]), "hours"),
        (Music(480, [Tempo(0, 0.0)], tracks=[Track(notes=[Note(0, 60, 480)])]), "tempo of 0.0"),
        (Music(480, [Tempo(0, np.nan)], tracks=[Track(notes=[Note(0, 60, 1)])]), "tempo of nan"),
        (Music(480, [Tempo(-1, 90.0)], tracks=[Track(notes=[Note(0, 60, 1)])]), "at tick -1"),
        (Music(0, tracks=[Track(notes=[Note(0, 60, 1)])]), "0 ticks"),
        (Music(tracks=[Track(notes=[Note(0, 128, 1)])]), "found Note"),
        (Music(tracks=[Track(notes=[Note(-1, 60, 1)])]), "found Note"),
        (Music(tracks=[Track(notes=[Note(0, 60, 1, 128)])]), "found Note"),
        (Music(tracks=[Track(128, notes=[Note(0, 60, 1)])]), "program 128"),
    ],
)
def test_refused(music, message):
    with pytest.raises(FormatError, match=message):
        music_to_audio(music)


@pytest.mark.parametrize("rate", [0, 3999, 192_001])
def test_rates_refused(rate):
    with pytest.raises(FormatError, match="samples a second"):
        music_to_audio(Music(), rate=rate)


# What it promises ---------------------------------------------------------------------------------


def test_same_seed_same_samples():
    music = chorale()
    music.tracks.append(Track(is_drum=True, notes=[Note(0, 38, 480, 80)]))
    one, two, other = (music_to_audio(music, seed=seed).samples for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_memory_beside_the_result_does_not_grow():
    def beside(minutes):
        notes = [Note(480 * k, 40 + k % 40, 480, 80) for k in range(60 * minutes)]
        music = Music(480, SECOND, tracks=[Track(program, notes=notes) for program in (0, 52)])
        tracemalloc.start()
        try:
            result = music_to_audio(music, rate=8000).samples
            return tracemalloc.get_traced_memory()[1] - result.nbytes
        finally:
            tracemalloc.stop()

    beside(1)
    assert beside(6) < beside(2) + 3e6


def test_bridges():
    tune = Tune("X:1\nL:1/4\nK:C\nCE|\n")
    audio = convert(tune, Audio)
    assert np.array_equal(audio.samples, convert(convert(tune, Music), Audio).samples)
    assert audio.samples.shape[0] > RATE


# Pictures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["png", "svg"])
@pytest.mark.parametrize("shape", [(0, 1), (1, 1), (700, 1), (9000, 2), (500, 6)])
def test_pictures_of_sound(tmp_path, kind, shape):
    samples = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    for name in ("a", "b"):
        plots.waveform_and_spectrogram(Audio(samples, 8000), tmp_path / f"{name}.{kind}", "Noise")
    data = (tmp_path / f"a.{kind}").read_bytes()
    assert len(data) > 5000
    assert data == (tmp_path / f"b.{kind}").read_bytes()


def test_a_tone_is_one_line_in_the_spectrogram():
    tone = np.sin(2 * np.pi * 1000 * np.arange(300_000) / 8000).astype(np.float32)[:, None]
    tone[150_000:] = 0
    times, hertz, levels = plots.sounds._spectrogram(tone, 8000)
    assert levels.shape == (len(hertz), len(times))
    assert len(times) <= plots.sounds.COLUMNS + 1
    assert times[-1] == pytest.approx(37.5, abs=0.1)
    before, after = levels[:, times < 18.5], levels[:, times > 19]
    assert np.abs(hertz[before.argmax(axis=0)] / 1000 - 1).max() < 0.02
    assert (before > -40).sum(axis=0).max() < 20
    assert after.max() < -80


def test_the_waveform_keeps_its_peaks():
    samples = np.zeros((1_000_000, 1), np.float32)
    samples[123_456], samples[765_432] = 1, -1
    times, lowest, highest = plots.sounds._envelope(samples[:, 0], 1000)
    assert len(times) <= plots.sounds.COLUMNS
    assert times[highest.argmax()] == pytest.approx(123.456, abs=1)
    assert times[lowest.argmin()] == pytest.approx(765.432, abs=1)


def test_import_is_light():
    code = "import sys, musicgen.convert; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"numpy", "scipy", "soundfile"} & set(loaded.stdout.split())
