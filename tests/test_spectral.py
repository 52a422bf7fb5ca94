"""The spectral encodings: what they keep of a sound, and what they refuse."""

import json
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musicgen.encodings import get
from musicgen.encodings.fourier import Fourier
from musicgen.encodings.griffin_lim import griffin_lim, spectral_convergence
from musicgen.encodings.spectrum import Spectrum
from musicgen.encodings.standardisation import standardisation
from musicgen.encodings.stft import istft, stft
from musicgen.encodings.waveform import to_audio, waveform
from musicgen.errors import EncodingError
from musicgen.music import Audio

RATE = 16000
BOTH = pytest.mark.parametrize("encoding", [Fourier, Spectrum], ids=lambda cls: cls.name)


def tune(rate=RATE, pitches=(440, 554.37, 659.26, 440), seconds=0.3, channels=1, partials=4):
    """Plucked tones, one after the other."""
    t = np.arange(int(rate * seconds)) / rate
    tones = [
        sum(np.sin(2 * np.pi * k * pitch * t) / k for k in range(1, partials + 1)) * np.exp(-5 * t)
        for pitch in pitches
    ]
    samples = 0.3 * np.concatenate(tones)[:, None].astype(np.float32)
    return Audio(np.repeat(samples, channels, axis=1), rate)


@cache
def taught(encoding):
    """One encoding for the tests that do not mind which."""
    return encoding.fit([tune()])


def stored(encoding):
    """The encoding as a model file gives it back: arrays as arrays, the rest through JSON."""
    state = encoding.state()
    plain = {k: v for k, v in state.items() if not isinstance(v, np.ndarray)}
    return type(encoding).from_state({**state, **json.loads(json.dumps(plain))})


@BOTH
def test_contract(encoding):
    assert get(encoding.name) is encoding
    fitted = encoding.fit(iter([tune(), tune(pitches=(330, 392))]))
    frames = fitted.encode(tune())
    assert frames.dtype == np.float32
    assert frames.shape[1] == fitted.size
    np.testing.assert_array_equal(frames[-1], np.eye(fitted.size)[0])
    assert not frames[:-1, 0].any()
    np.testing.assert_array_equal(fitted.encode_primer(tune()), frames[:-1])
    again = stored(fitted)
    assert again.size == fitted.size
    np.testing.assert_array_equal(again.encode(tune()), frames)
    sound = fitted.decode(frames)
    assert sound.rate == RATE
    assert sound.samples.dtype == np.float32
    assert sound.samples.shape[1] == 1
    np.testing.assert_array_equal(again.decode(frames).samples, sound.samples)
    # What stands after the boundary does not count, and no boundary is needed.
    longer = np.concatenate([frames, frames])
    np.testing.assert_array_equal(fitted.decode(longer).samples, sound.samples)
    np.testing.assert_array_equal(fitted.decode(frames[:-1]).samples, sound.samples)
    assert fitted.decode(frames[:0]).samples.shape == (0, 1)
    assert all(isinstance(loss, str) for loss in encoding.losses)


@BOTH
def test_channels_have_mean_0_and_a_usual_size(encoding):
    pieces = [tune(), tune(pitches=(330, 392))]
    fitted = encoding.fit(pieces)
    channels = np.concatenate([fitted.encode_primer(piece) for piece in pieces])[:, 1:]
    np.testing.assert_allclose(channels.mean(axis=0), 0, atol=1e-4)
    # Fourier's channels that hardly vary stay small: they are the imaginary parts that are 0.
    assert np.sqrt(np.mean(channels**2)) == pytest.approx(1, abs=0.15)


def test_fourier_gives_the_samples_back():
    audio = tune()
    encoding = taught(Fourier)
    assert encoding.size == 8001
    frames = encoding.encode(audio)
    assert len(frames) == 1 + 5
    found = encoding.decode(frames).samples
    assert len(found) == 5 * 4000
    np.testing.assert_allclose(found[: len(audio.samples)], audio.samples, atol=1e-6)
    np.testing.assert_allclose(found[len(audio.samples) :], 0, atol=1e-6)


def test_fourier_has_real_parts_beside_imaginary_ones():
    encoding = Fourier(np.zeros(8, np.float32), np.ones(8, np.float32), 16000)
    samples = np.array([1.0, 0.0, 0.0, 0.0, 0.0, 1.0], np.float32)[:, None] / 2
    frames = encoding.encode_primer(Audio(samples, 16000))
    assert frames[:, 1:5].tolist() == [[0.5, 0.5, 0.5, 0.5], [0.5, 0, -0.5, 0]]
    np.testing.assert_allclose(frames[:, 5:], [[0, 0, 0, 0], [0, -0.5, 0, 0.5]], atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 5000), st.sampled_from([(64, 16), (64, 32), (200, 50), (96, 20), (100, 26)]),
    st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_overlap_add_is_exact(length, lengths, seed):
    samples = np.random.default_rng(seed).uniform(-1, 1, length)
    n_fft, hop = lengths
    spectra = stft(samples, n_fft, hop)
    assert spectra.shape == (-(-length // hop), n_fft // 2 + 1)
    found = istft(spectra, n_fft, hop)
    assert len(found) == len(spectra) * hop
    np.testing.assert_allclose(found[:length], samples, atol=1e-9)
    np.testing.assert_allclose(found[length:], 0, atol=1e-9)


def test_phases_are_found():
    samples = waveform(tune(), RATE)
    magnitudes = np.abs(stft(samples, 2000, 500))

    def error(**settings):
        found = griffin_lim(magnitudes, 2000, 500, **settings)
        return spectral_convergence(found, magnitudes, 2000, 500)

    assert error() < -25
    assert error() < error(momentum=0) < error(iterations=0) < -10
    assert spectral_convergence(samples, magnitudes, 2000, 500) < -200


def test_spectrum_sounds_alike():
    audio = tune()
    encoding = taught(Spectrum)
    found = waveform(encoding.decode(encoding.encode(audio)), RATE)
    heard = waveform(audio, RATE)
    magnitudes = np.abs(stft(heard, 2000, 500))
    assert spectral_convergence(found[: len(heard)], magnitudes, 2000, 500) < -18
    assert found.std() == pytest.approx(heard.std(), rel=0.1)
    # Neither end clicks.
    assert abs(found[0]) < 1e-3
    assert abs(found[-1]) < 1e-3


def test_fewer_components_lose_more():
    audio = tune()
    levels = {}
    for channels in (2, 8, 96):
        encoding = Spectrum.fit([audio], channels=channels)
        assert encoding.size == channels + 1
        frames = encoding.encode_primer(audio)[:, 1:]
        assert np.sqrt(np.mean(frames**2)) == pytest.approx(1, rel=1e-3)
        levels[channels] = frames * encoding.scale @ encoding.components + encoding.mean
    errors = [np.linalg.norm(levels[channels] - levels[96]) for channels in (2, 8)]
    assert errors[0] > 2 * errors[1] > 0


def test_components_are_those_of_a_singular_value_decomposition():
    pieces = [tune(), tune(pitches=(330, 392))]
    encoding = Spectrum.fit(pieces, n_fft=256, hop=128, channels=5)
    spectra = [np.abs(stft(waveform(piece, RATE), 256, 128)) for piece in pieces]
    loud = [s[np.linalg.norm(s, axis=1) >= 10**-1.5 * np.linalg.norm(s, axis=1).max()]
            for s in spectra]  # fmt: skip
    levels = np.log1p(np.concatenate(loud) / 0.01)
    _, sizes, directions = np.linalg.svd(levels - levels.mean(axis=0))
    same = np.abs(np.sum(encoding.components * directions[:5], axis=1))
    np.testing.assert_allclose(same, 1, atol=1e-5)
    assert encoding.scale == pytest.approx(np.sqrt(np.mean(sizes[:5] ** 2 / len(levels))), rel=1e-5)


def test_near_silence_at_the_ends_is_left_out():
    audio = tune()
    encoding = taught(Spectrum)
    still = np.zeros((RATE, 1), np.float32)
    rest = Audio(np.concatenate([still, audio.samples, still]), RATE)
    # The window reaches two frames beyond the sound.
    assert abs(len(encoding.encode(rest)) - len(encoding.encode(audio))) <= 4
    within = Audio(np.concatenate([audio.samples, still, audio.samples]), RATE)
    assert len(encoding.encode(within)) > 2 * len(encoding.encode(audio)) + 20


@BOTH
def test_silence_stays_silence(encoding):
    silence = Audio(np.zeros((RATE, 1), np.float32), RATE)
    fitted = encoding.fit([silence])
    found = fitted.decode(fitted.encode(silence)).samples
    assert len(found) == RATE
    assert not found.any()
    other = taught(encoding)
    assert np.abs(other.decode(other.encode(silence)).samples).max() < 0.01


@BOTH
def test_any_rate_and_any_channels(encoding):
    fitted = taught(encoding)
    expected = fitted.encode_primer(tune())
    np.testing.assert_allclose(fitted.encode_primer(tune(channels=2)), expected, atol=1e-4)
    for rate in (8000, 22050, 44100, 48000):
        found = fitted.encode_primer(tune(rate=rate))
        assert abs(len(found) - len(expected)) <= 1
        both = min(len(found), len(expected))
        a, b = found[:both, 1:].ravel(), expected[:both, 1:].ravel()
        assert np.corrcoef(a, b)[0, 1] > 0.75
    opposite = Audio(tune().samples * np.array([1, -1], np.float32), RATE)
    assert np.abs(waveform(opposite, RATE)).max() == 0


def test_resampling_keeps_the_pitch():
    sine = np.sin(2 * np.pi * 1000 * np.arange(44100) / 44100).astype(np.float32)[:, None]
    found = waveform(Audio(sine, 44100), RATE)
    assert len(found) == RATE
    assert np.argmax(np.abs(np.fft.rfft(found))) == 1000
    high = np.sin(2 * np.pi * 12000 * np.arange(44100) / 44100).astype(np.float32)[:, None]
    assert np.abs(waveform(Audio(high, 44100), RATE)[100:-100]).max() < 0.01


@BOTH
@pytest.mark.parametrize("length", [1, 2, 499, 500, 501, 3999, 4000, 4001])
def test_short_sounds(encoding, length):
    fitted = taught(encoding)
    audio = Audio(np.full((length, 1), 0.5, np.float32), RATE)
    frames = fitted.encode(audio)
    assert len(frames) >= 2
    assert np.isfinite(frames).all()
    assert len(fitted.decode(frames).samples) >= length


@BOTH
def test_a_sound_of_one_frame_is_enough_to_learn_from(encoding):
    audio = Audio(np.full((1, 1), 0.5, np.float32), RATE)
    assert np.isfinite(encoding.fit([audio]).encode(audio)).all()


@BOTH
def test_refusals(encoding):
    fitted = taught(encoding)
    empty = Audio(np.zeros((0, 1), np.float32), RATE)
    broken = Audio(np.array([[0.0], [np.nan]], np.float32), RATE)
    for audio, words in (
        (empty, "the sound is empty; expected at least one sample"),
        (Audio(np.zeros((0, 2), np.float32), 44100), "is empty"),
        (broken, "not finite"),
        (Audio(np.zeros((5, 1), np.float32), 0), "0 samples a second"),
    ):
        for use in (fitted.encode, fitted.encode_primer, lambda a: encoding.fit([a])):
            with pytest.raises(EncodingError, match=words):
                use(audio)
    with pytest.raises(EncodingError, match="no sound to learn from"):
        encoding.fit([])
    with pytest.raises(EncodingError, match="cannot be asked for a bar"):
        fitted.constraint(bars=8)
    assert fitted.constraint(title="Sea") is None


@BOTH
def test_a_sample_lasts_half_a_minute(encoding):
    fitted = taught(encoding)
    frames = np.zeros((8, fitted.size), np.float32)
    assert fitted.usual_length * len(fitted.decode(frames).samples) == 8 * 30 * RATE


@pytest.mark.parametrize("seconds", [0, 5e-5, -1])
def test_fourier_refuses_a_frame_of_nothing(seconds):
    with pytest.raises(EncodingError, match="expected 2 or more"):
        Fourier.fit([tune()], seconds=seconds)


@pytest.mark.parametrize(
    "settings",
    [{"hop": 0}, {"hop": 501}, {"n_fft": 1001}, {"n_fft": 998}, {"channels": 0}, {"rate": 0}],
    ids=str,
)
def test_spectrum_refuses_impossible_numbers(settings):
    with pytest.raises(EncodingError, match="expected numbers above 0"):
        Spectrum.fit([tune()], **settings)


@BOTH
def test_loud_frames_do_not_clip(encoding):
    fitted = taught(encoding)
    frames = fitted.encode(tune())
    frames[:-1, 1:] *= 3
    found = fitted.decode(frames).samples
    assert np.isfinite(found).all()
    assert 0.5 < np.abs(found).max() <= 1


def test_means_of_frames_click_in_fourier_and_not_in_spectrum():
    t = np.arange(2 * RATE) / RATE
    steady = Audio(np.sin(2 * np.pi * 441.3 * t).astype(np.float32)[:, None] / 2, RATE)
    largest = {}
    for encoding, hop in ((Fourier, 4000), (Spectrum, 500)):
        fitted = encoding.fit([steady])
        frames = fitted.encode_primer(steady)
        frames[1:-1] = (frames[:-2] + frames[2:]) / 2
        steps = np.abs(np.diff(fitted.decode(frames).samples[:, 0]))[2000:-2000]
        joints = (np.arange(len(steps)) + 2001) % hop == 0
        largest[encoding] = steps[joints].max() / steps[~joints].max()
    assert largest[Fourier] > 3
    assert largest[Spectrum] < 1.1


@BOTH
def test_odd_frames_make_a_sound(encoding):
    fitted = taught(encoding)
    frames = np.random.default_rng(0).normal(size=(12, fitted.size)).astype(np.float32)
    frames[:, 0] = 0.2
    found = fitted.decode(frames).samples
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= 1


def test_a_fade_touches_10_ms_only():
    ones = np.ones(1000)
    plain, faded = to_audio(ones, RATE).samples, to_audio(ones, RATE, fade=True).samples
    assert (plain == 1).all()
    assert (ones == 1).all()
    assert (faded[160:-160] == 1).all()
    assert (np.diff(faded[:161, 0]) > 0).all()
    np.testing.assert_array_equal(faded, faded[::-1])


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_moments_do_not_depend_on_where_the_pieces_are_cut(lengths, seed):
    rows = np.random.default_rng(seed).normal(100, 1, (sum(lengths), 3))
    mean, deviation = standardisation(np.split(rows, np.cumsum(lengths)[:-1]))
    np.testing.assert_allclose(mean, rows.mean(axis=0), rtol=1e-6)
    floor = 0.01 * np.sqrt(np.mean(rows.var(axis=0))) or 1
    np.testing.assert_allclose(deviation, np.maximum(rows.std(axis=0), floor), rtol=1e-5)


def test_spectrograms_are_drawn_below_each_other(tmp_path):
    from musicgen.plots import spectrograms

    noise = np.random.default_rng(0).normal(0, 0.1, (RATE, 1)).astype(np.float32)
    path = tmp_path / "both.svg"
    spectrograms({"a tune": tune(), "white noise": Audio(noise, RATE)}, path)
    assert path.read_text().count("<image") >= 2
    first = path.read_bytes()
    spectrograms({"a tune": tune(), "white noise": Audio(noise, RATE)}, path)
    assert path.read_bytes() == first
