"""Sound files: what is written comes back, what is damaged is saved or refused, nothing else."""

import csv
import random
import struct
import subprocess
import sys
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import resample_poly

from musicgen.errors import FormatError, FormatWarning
from musicgen.formats import wav
from musicgen.music import Audio

CASES = Path(__file__).parents[2] / "shared" / "data" / "wav_cases"
STEPS = {"PCM_U8": 2**-7, "PCM_S8": 2**-7, "PCM_16": 2**-15, "PCM_24": 2**-23, "PCM_32": 2**-23}
LOSSLESS = [
    *((".wav", subtype) for subtype in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")),
    *((".aiff", subtype) for subtype in ("PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT")),
    *((".flac", subtype) for subtype in ("PCM_S8", "PCM_16", "PCM_24")),
]
LOSSY = [(".ogg", None), (".ogg", "VORBIS"), (".mp3", None), (".wav", "ULAW"), (".wav", "MS_ADPCM")]


def melody(channels=2, n=3000, rate=44100):
    times = np.arange(n) / rate
    tones = [np.sin(2 * np.pi * 330 * (number + 1) * times) for number in range(channels)]
    return Audio((0.8 * np.stack(tones, axis=1)).astype(np.float32), rate)


def wave(
    samples=b"\1\0\2\0\3\0\4\0", *, tag=1, channels=1, rate=8000, byte_rate=None, align=None,
    bits=16, fmt=b"", length=None, riff=None, before=b"", after=b"", magic=b"RIFF",
):  # fmt: skip
    """Build a WAV file, any of whose fields may lie."""
    width = channels * -(-bits // 8)
    align = width if align is None else align
    byte_rate = rate * width if byte_rate is None else byte_rate
    chunk = struct.pack("<HHIIHH", tag, channels, rate, byte_rate, align, bits) + fmt
    body = b"WAVE" + before + b"fmt " + struct.pack("<I", len(chunk)) + chunk + b"data"
    body += struct.pack("<I", len(samples) if length is None else length) + samples + after
    return magic + struct.pack("<I", len(body) if riff is None else riff) + body


@pytest.fixture
def read(tmp_path):
    def read(data, **choices):
        path = tmp_path / "a.wav"
        path.write_bytes(data)
        return wav.read(path, **choices)[0]

    return read


# Written and read again ---------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 2, 5])
@pytest.mark.parametrize(("ending", "subtype"), LOSSLESS)
def test_round_trip_within_a_step(tmp_path, ending, subtype, channels):
    path = tmp_path / f"a{ending}"
    samples = np.random.default_rng(0).uniform(-1, 1, (1000, channels)).astype(np.float32)
    samples[:2] = [[-1.0], [1.0]]
    wav.write(Audio(samples, 44100), path, subtype=subtype)
    assert soundfile.info(path).subtype == subtype
    [again] = wav.read(path)
    assert again.rate == 44100
    assert np.abs(again.samples - samples).max() <= STEPS.get(subtype, 0)
    wav.write(again, path, subtype=subtype)
    assert np.array_equal(wav.read(path)[0].samples, again.samples)


@pytest.mark.parametrize(("ending", "subtype"), LOSSY)
def test_lossy_round_trip_keeps_the_sound(tmp_path, ending, subtype):
    audio = melody(n=20000)
    wav.write(audio, tmp_path / f"a{ending}", subtype=subtype)
    [again] = wav.read(tmp_path / f"a{ending}")
    shared = min(len(audio.samples), len(again.samples))
    assert shared > 19000
    assert np.corrcoef(audio.samples[:shared, 0], again.samples[:shared, 0])[0, 1] > 0.99


@pytest.mark.parametrize("ending", [".WAV", ".wave", ".FLAC", ".aif", ".part", ""])
def test_the_ending_chooses_the_container(tmp_path, ending):
    wav.write(melody(), tmp_path / f"a{ending}")
    known = {".FLAC": "FLAC", ".aif": "AIFF"}
    assert soundfile.info(tmp_path / f"a{ending}").format == known.get(ending, "WAV")


@pytest.mark.parametrize(("ending", "subtype"), [(".wav", "FLOAT"), (".aiff", "FLOAT")])
def test_no_time_stamp(tmp_path, ending, subtype):
    wav.write(melody(), tmp_path / f"a{ending}", subtype=subtype)
    data = (tmp_path / f"a{ending}").read_bytes()
    place = data.index(b"PEAK") + 12
    assert data[place : place + 4] == bytes(4)


def test_no_random_serial(tmp_path):
    for name in ("a.ogg", "b.ogg"):
        wav.write(melody(n=50000), tmp_path / name)
    data = (tmp_path / "a.ogg").read_bytes()
    assert data == (tmp_path / "b.ogg").read_bytes()
    assert data[14:18] == bytes(4)
    assert len(wav.read(tmp_path / "a.ogg")[0].samples) == 50000


def test_samples_in_another_order_of_memory(tmp_path):
    audio = melody()
    wav.write(audio, tmp_path / "a.wav")
    wav.write(Audio(np.asfortranarray(audio.samples), audio.rate), tmp_path / "b.wav")
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()


def test_no_samples(tmp_path):
    wav.write(Audio(np.zeros((0, 2), np.float32), 8000), tmp_path / "a.wav")
    [again] = wav.read(tmp_path / "a.wav", rate=44100)
    assert (again.samples.shape, again.rate) == ((0, 2), 44100)


@pytest.mark.parametrize("ending", wav.extensions)
def test_no_samples_are_read_again_or_refused(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    empty = Audio(np.zeros((0, 2), np.float32), 44100)
    if ending in (".flac", ".mp3"):
        with pytest.raises(FormatError, match=rf"a\{ending}: no samples, .* \(write \.wav\)"):
            wav.write(empty, path)
        assert not path.exists()
    else:
        wav.write(empty, path)
        assert wav.read(path)[0].samples.shape == (0, 2)


@pytest.mark.parametrize("ending", [".oga", ".OPUS", ".au", ".w64"])
def test_endings_of_other_containers_are_refused(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    known = r"\.wav, \.flac, \.ogg, \.aiff, \.aif, \.mp3"
    with pytest.raises(FormatError, match=rf"found the ending \{ending.lower()}, .*{known}"):
        wav.write(melody(), path)
    assert not path.exists()


def test_paths_may_be_text(tmp_path):
    path = str(tmp_path / "a.wav")
    wav.write(melody(), path)
    [audio] = wav.read(path)
    [block] = wav.blocks(path)
    assert np.array_equal(audio.samples, block.samples)
    with pytest.raises(FormatError) as caught:
        wav.write(melody(), path, subtype="PCM_17")
    assert caught.value.path == Path(path)


def test_clipping_is_counted(tmp_path):
    audio = Audio(np.array([[0.5], [1.5], [-2.0], [1.0]], np.float32), 8000)
    with pytest.warns(FormatWarning, match=r"a\.wav: samples beyond ±1, clipped: 2"):
        wav.write(audio, tmp_path / "a.wav")
    values = wav.read(tmp_path / "a.wav")[0].samples.ravel()
    assert values.tolist() == [0.5, 1 - 2**-15, -1.0, 1 - 2**-15]


@pytest.mark.parametrize(
    ("audio", "choices", "message"),
    [
        (Audio(np.array([[0.0], [np.nan]], np.float32), 8000), {}, "sample 1 is not a number"),
        (Audio(np.array([[np.inf, 0.0]], np.float32), 8000), {}, "sample 0 is not a number"),
        (Audio(np.zeros(8, np.float32), 8000), {}, r"samples of shape \(8,\)"),
        (Audio(np.zeros((8, 0), np.float32), 8000), {}, r"samples of shape \(8, 0\)"),
        (Audio(np.zeros((8, 1), np.float32), 0), {}, "0 samples a second"),
        (melody(), {"subtype": "PCM_17"}, r"WAV has no subtype 'PCM_17' \(it has: .*PCM_16"),
        (melody(), {"subtype": "VORBIS"}, "WAV has no subtype 'VORBIS'"),
    ],
)
def test_what_cannot_be_written_leaves_the_old_file(tmp_path, audio, choices, message):
    path = tmp_path / "a.wav"
    path.write_bytes(b"old")
    with pytest.raises(FormatError, match=message) as caught:
        wav.write(audio, path, **choices)
    assert caught.value.path == path
    assert path.read_bytes() == b"old"


def test_a_container_without_that_rate(tmp_path):
    with pytest.raises(FormatError, match="cannot write MP3 of 1 channels and 12345"):
        wav.write(melody(1, rate=12345), tmp_path / "a.mp3")


# Choices of the reader ----------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".wav", ".flac", ".ogg", ".mp3"])
@pytest.mark.parametrize("size", [64, 5000])
def test_blocks_are_the_whole(tmp_path, ending, size):
    path = tmp_path / f"a{ending}"
    wav.write(melody(n=9000), path)
    whole = wav.read(path)[0].samples
    found = [block.samples for block in wav.blocks(path, size=size)]
    assert len(found) > 2
    assert np.array_equal(np.concatenate(found), whole)


@pytest.mark.parametrize(
    ("rate", "target"), [(44100, 22050), (44100, 48000), (8000, 44100), (44101, 8000), (96000, 8)]
)
@pytest.mark.parametrize("size", [100, 3000])
def test_resampled_in_blocks_as_at_once(tmp_path, rate, target, size):
    path = tmp_path / "a.wav"
    wav.write(melody(1, 7000, rate), path, subtype="FLOAT")
    whole = wav.read(path)[0].samples
    expected = resample_poly(whole, target, rate)
    blocks = list(wav.blocks(path, rate=target, size=size))
    assert {block.rate for block in blocks} == {target}
    found = np.concatenate([block.samples for block in blocks])
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-5


def test_a_tone_keeps_its_pitch(tmp_path):
    audio = Audio(np.sin(2 * np.pi * 1000 * np.arange(44100) / 44100)[:, None] * 0.5, 44100)
    wav.write(audio, tmp_path / "a.wav")
    [slower] = wav.read(tmp_path / "a.wav", rate=16000)
    assert np.abs(np.fft.rfft(slower.samples[:, 0])).argmax() == 1000


def test_mono_is_the_mean(tmp_path):
    audio = melody(3)
    wav.write(audio, tmp_path / "a.wav", subtype="FLOAT")
    [mono] = wav.read(tmp_path / "a.wav", mono=True)
    assert np.allclose(mono.samples[:, 0], audio.samples.mean(axis=1), atol=1e-6)


def test_no_such_rate(tmp_path):
    wav.write(melody(), tmp_path / "a.wav")
    with pytest.raises(FormatError, match="no rate of 0 samples a second"):
        wav.read(tmp_path / "a.wav", rate=0)


def test_blocks_take_no_more_memory_for_more_sound(tmp_path):
    path = tmp_path / "a.wav"
    with soundfile.SoundFile(path, "w", 44100, 2, "PCM_16") as file:
        for _ in range(120):
            file.write(np.zeros((44100, 2), np.int16))
    tracemalloc.start()
    try:
        heard = sum(len(block.samples) for block in wav.blocks(path, rate=22050))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert heard == 120 * 22050
    assert peak < 12e6  # the whole would take 42 MB


# Damaged files ------------------------------------------------------------------------------------

FOUR = [k / 2**15 for k in (1, 2, 3, 4)]
GARBAGE = bytes(range(128, 160))
TINY_FMT = b"RIFF\0\0\0\0WAVEfmt \4\0\0\0\1\0\1\0data\2\0\0\0\0\0"


@pytest.mark.parametrize(
    ("data", "repair"),
    [
        (wave(length=0xFFFFFFFF, riff=0xFFFFFFFF), "announces no length of samples, 8 bytes"),
        (wave(length=9999), "announces 9999 bytes of samples, 8 bytes are there"),
        (wave(length=0), "announces 0 bytes of samples, read all 8"),
        (wave(length=0, riff=0), "announces 0 bytes of samples, read all 8"),
        (wave(b"\1\0\2\0\3\0\4\0", length=2), "announces 2 bytes of samples, read all 8"),
        (wave(b"\1\0\2\0\3\0\4\0\5", length=10), "announces 10 bytes of samples, 9 bytes"),
        (wave(rate=0, byte_rate=16000), "a rate of 0 Hz, taken for 8000 Hz"),
        (wave(rate=2**31, byte_rate=16000, align=2), "a rate of 2147483648 Hz, taken for 8000"),
        (wave(channels=1000, align=2, byte_rate=16000), "1000 channels, taken for 1"),
        (wave(channels=0, align=2, byte_rate=16000), "0 channels, taken for 1"),
        (wave(align=0), "0 bytes for all channels, taken for 2"),
        (wave(bits=0, align=2), "0 bits a sample, taken for 16"),
        (wave(tag=0xFFFE), "an extensible header without its extension"),
    ],
)  # fmt: skip
def test_repaired(read, data, repair):
    with pytest.warns(FormatWarning, match=repair):
        audio = read(data)
    assert audio.rate == 8000
    assert audio.samples[:, 0].tolist() == FOUR


@pytest.mark.parametrize(
    "data",
    [
        wave(after=b"LIST\4\0\0\0abcd"),
        wave(after=GARBAGE, riff=4 + 24 + 16),
        wave(before=b"junk\3\0\0\0abc\0"),
        wave(before=b"junk\3\0\0\0abc"),
        wave(fmt=b"\0\0"),
        wave(byte_rate=77),
        wave(bits=12),
        wave(riff=0),
        wave(after=b"\0\0"),
        wave()[:4] + b"\xff\xff\xff\xff" + wave()[8:],
        wave(
            tag=0xFFFE,
            fmt=struct.pack("<HHIH", 22, 16, 4, 1) + bytes.fromhex("000000001000800000aa00389b71"),
        ),
    ],
)
def test_odd_but_sound(read, data):
    assert read(data).samples[:, 0].tolist() == FOUR


def test_a_chunk_after_no_samples_is_no_sound(read):
    assert len(read(wave(b"", after=b"LIST\4\0\0\0abcd")).samples) == 0


def test_24_bits_in_32(read):
    data = struct.pack("<4i", *(k << 16 for k in (1, 2, 3, 4)))
    assert read(wave(data, bits=24, align=4)).samples[:, 0].tolist() == FOUR


def test_numbers_that_are_none(read):
    values = np.array([np.nan, np.inf, -np.inf, 0.5, -3.0], np.float32)
    with pytest.warns(FormatWarning) as caught:
        audio = read(wave(values.tobytes(), tag=3, bits=32))
    assert audio.samples[:, 0].tolist() == [0, 0, 0, 0.5, -1]
    assert [str(warning.message).split("a.wav: ")[1] for warning in caught] == [
        "samples that are no numbers, taken for silence: 3",
        "samples beyond ±1, clipped: 1",
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "byte 0: does not start as WAV"),
        (b"RIFF\0\0\0\0RMIDdata", "byte 0: does not start as WAV"),
        (wave()[:12], "byte 12: no 'fmt ' chunk"),
        (wave()[:36], "byte 12: no 'data' chunk"),
        (wave()[:44], "byte 44: the file ends before its first whole sample"),
        (wave()[:45], "byte 44: the file ends before its first whole sample"),
        (TINY_FMT, "byte 20: a 'fmt ' chunk of 4 bytes"),
        (wave(rate=0), "byte 24: 0 samples a second, expected 1 to 768000"),
        (wave(rate=2**32 - 1, byte_rate=0), "byte 24: 4294967295 samples a second"),
        (wave(channels=0, align=0), "byte 22: 0 channels, expected 1 to 256"),
        (wave(bytes(4000), channels=1000), "byte 22: 1000 channels"),
        (wave(bits=45), "byte 34: integer samples of 45 bits"),
        (wave(bits=16, tag=3), "byte 34: floating-point samples of 16 bits"),
        (wave(tag=999), "libsndfile cannot read this WAV file"),
        (b"fLaC" + GARBAGE, "libsndfile cannot read this FLAC file"),
        (b"OggS" + GARBAGE, "libsndfile cannot read this OGG file"),
        (b"ID3" + bytes(99), "libsndfile cannot read this MP3 file"),
    ],
)
def test_refused(read, data, message):
    with pytest.raises(FormatError, match=r"a\.wav: " + message):
        read(data)


def test_a_flac_that_stops_early(tmp_path):
    path = tmp_path / "a.flac"
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (40000, 1)).astype(np.float32)
    wav.write(Audio(noise, 8000), path)
    whole = wav.read(path)[0].samples
    path.write_bytes(path.read_bytes()[:50000])
    with pytest.warns(FormatWarning, match=r"a\.flac: .*(damaged|announces 40000 samples)"):
        part = wav.read(path)[0].samples
    assert 8000 < len(part) < 40000
    assert np.array_equal(part[:8000], whole[:8000])


def test_a_header_that_promises_billions(tmp_path):
    path = tmp_path / "a.flac"
    wav.write(melody(1), path)
    data = bytearray(path.read_bytes())
    data[21] |= 0x0F
    data[22:26] = b"\xff" * 4  # the 36 bits of STREAMINFO that count the samples
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FormatWarning)
            assert len(wav.read(path)[0].samples) == 3000
        assert tracemalloc.get_traced_memory()[1] < 50e6
    except FormatError:
        pass
    finally:
        tracemalloc.stop()


def slips(seeds, count):
    """Damage files in the ways that happen: bits flip, tails go, chunks of others get in."""
    draw = random.Random(0)
    for _ in range(count):
        data = bytearray(draw.choice(seeds))
        for _ in range(draw.randint(1, 4)):
            start = draw.randrange(min(len(data), draw.choice((64, 256, len(data)))))
            match draw.randrange(5):
                case 0 | 1:
                    data[start] ^= 1 << draw.randrange(8)
                case 2:
                    del data[max(start, 1) :]
                case 3:
                    data[start : start + 4] = draw.choice(
                        (bytes(4), b"\xff" * 4, b"\xff\xff\xff\x7f")
                    )
                case 4:
                    other = draw.choice(seeds)
                    place = draw.randrange(len(other))
                    data[start : start + draw.randrange(99)] = other[place : place + 99]
        yield bytes(data)


def test_damage_raises_nothing_else(tmp_path, capfd):
    path = tmp_path / "a"
    seeds = [wave()]
    for ending, subtype in LOSSLESS + LOSSY:
        wav.write(melody(n=1500), tmp_path / f"seed{ending}", subtype=subtype)
        seeds.append((tmp_path / f"seed{ending}").read_bytes())
    read = refused = 0
    for data in slips(seeds, 500):
        path.write_bytes(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FormatWarning)
            try:
                [audio] = wav.read(path)
            except FormatError:
                refused += 1
                continue
        read += 1
        assert np.abs(audio.samples).max(initial=0) <= 1
    capfd.readouterr()  # the MP3 decoder says on stderr what it thinks
    assert read > 100
    assert refused > 100


# What it claims, what it needs --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "claimed"),
    [
        (b"RIFF\0\0\0\0WAVE", True),
        (b"RIFX\0\0\0\0WAVE", True),
        (b"RF64\xff\xff\xff\xffWAVE", True),
        (b"FORM\0\0\0\0AIFC", True),
        (b"FORM\0\0\0\0ILBM", False),
        (b"RIFF\0\0\0\0RMID", False),
        (b"RIFF\0\0\0\0AVI ", False),
        (b"ID3\4", True),
        (b"\xff\xfb\x90\x64", True),
        ("\ufeff<?xml".encode("utf-16-le"), False),
        (b"\xff\xfb\xf0\x00", False),
        (b"\xff\xfb", False),
        (b"", False),
    ],
)
def test_sniff(head, claimed):
    assert wav.sniff(head) is claimed


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        wav.read(tmp_path / "a.wav")
    with pytest.raises(FileNotFoundError):
        wav.write(melody(), tmp_path / "no" / "a.wav")


def test_import_is_light():
    code = "import sys, musicgen.formats.wav; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    heavy = {"soundfile", "numpy", "scipy", "mido", "musicgen.formats.abc"}
    assert not heavy & set(loaded.stdout.split())


# Real files ---------------------------------------------------------------------------------------


def cases():
    if not CASES.is_dir():
        return [pytest.param(None, marks=pytest.mark.skip(reason="no shared/data/wav_cases here"))]
    with (CASES / "CASES.tsv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    return [pytest.param(row, id=row["file"]) for row in rows]


@pytest.mark.parametrize("case", cases())
def test_real_files(case):
    path = CASES / case["file"]
    known = case["soundfile_result"].startswith("ok")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormatWarning)
        try:
            [audio] = wav.read(path)
        except FormatError:
            assert not known
            return
    assert known
    expected, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert audio.rate == rate
    expected[~np.isfinite(expected)] = 0
    assert np.array_equal(audio.samples, expected.clip(-1, 1))
