"""Sampling from small models in every encoding: files, conditions, primers, decisions."""

import json
import re
from pathlib import Path

import mido
import numpy as np
import pytest

from musicgen import encodings
from musicgen.convert import convert, tune_to_music
from musicgen.encodings.roll import Roll
from musicgen.evaluation import NoveltyIndex
from musicgen.formats import abc, get, midi, wav
from musicgen.formats.registry import BUILT_IN
from musicgen.music import Audio, Music, Tune
from musicgen.networks import Model
from musicgen.workflows import copying, sample_from

ROLLS = [name for name in encodings.NAMES if issubclass(encodings.get(name), Roll)]
SOUNDS = [name for name in encodings.NAMES if encodings.get(name).kind is Audio]
NOTES = [name for name in encodings.NAMES if encodings.get(name).kind is Music]
TUNES = [name for name in encodings.NAMES if encodings.get(name).kind is Tune]
CONDITIONED = ["tokens", "characters", "score-grid", "chords"]
# What is long enough to say something, and short enough to be tested.
SHORT = dict.fromkeys((*ROLLS, *SOUNDS), ("--length", 40))


@pytest.fixture
def sample(models, musicgen, tmp_path):
    """Sample from the model of an encoding; return what the command says as JSON."""

    def run(name, *options):
        done = musicgen(
            "sample", models(name), *SHORT.get(name, ()), "--pictures", 0, "--out", tmp_path,
            "--seed", 5, "--json", *options,
        )  # fmt: skip
        return json.loads(done.stdout)

    return run


def read(file):
    (piece,) = get(next(f for f in BUILT_IN if Path(file).suffix in get(f).extensions)).read(
        Path(file)
    )
    return piece


@pytest.mark.parametrize("name", encodings.NAMES)
def test_the_same_seed_gives_the_same_bytes(name, sample, tmp_path):
    runs = [
        sample(name, "--count", 2, "--out", tmp_path / folder, "--seed", seed)
        for folder, seed in (("a", 9), ("b", 9), ("c", 10))
    ]
    a, b, c = (
        [Path(file).read_bytes() for one in run["samples"] for file in one["files"]] for run in runs
    )
    assert a == b
    assert len(a) == 2
    assert a[0] != c[0]
    assert a[0] != a[1]


@pytest.mark.parametrize("name", encodings.NAMES)
def test_files_in_every_format_open(name, sample):
    formats = ["wav"] if name in SOUNDS else list(BUILT_IN)
    asked = [word for form in formats for word in ("--format", form)]
    result = sample(name, *asked, "--title", "Tune")
    assert result["seed"] == 5
    (one,) = result["samples"]
    files = dict(zip(formats, map(Path, one["files"]), strict=True))
    pieces = {form: get(form).read(file)[0] for form, file in files.items()}
    sound = pieces["wav"]
    assert len(sound.samples) / sound.rate == pytest.approx(one["seconds"], abs=5)
    if name in SOUNDS:
        assert one["bars"] == 0
        return
    notes = {
        form: sum(len(track.notes) for track in convert(piece, Music).tracks)
        for form, piece in pieces.items()
        if form != "wav"
    }
    assert min(notes.values()) > 0
    if name in TUNES:
        assert pieces["abc"].text == one["abc"]
        assert abc.parse(pieces["abc"], strict=True).first("X") == "1"
        assert re.search(r"^Z:written by musicgen .* seed 5, piece 1$", one["abc"], re.M)
        assert notes["midi"] == notes["musicxml"] >= one["bars"] > 0
    assert mido.MidiFile(files["midi"]).length == pytest.approx(one["seconds"], abs=0.01)
    assert one["title"] == "Tune"


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("tokens", ".abc"), ("events", ".mid"), ("score-grid", ".musicxml"), ("spectrum", ".wav")],
)
def test_own_formats_and_pictures(name, suffix, models, musicgen, tmp_path):
    done = musicgen(
        "sample", models(name), *SHORT.get(name, ()), "--count", 2, "--pictures", 1, "--seed", 5,
        cwd=tmp_path,
    )  # fmt: skip
    files = {file.name for file in (tmp_path / "samples").iterdir()}
    assert files == {f"{name}-5-1{suffix}", f"{name}-5-2{suffix}", f"{name}-5-1.png"}
    assert f"picture: {Path('samples', f'{name}-5-1.png')}" in done.stdout
    assert (tmp_path / "samples" / f"{name}-5-1.png").read_bytes().startswith(b"\x89PNG")


def test_a_table_is_printed_for_people(models, musicgen, tmp_path):
    done = musicgen("sample", models("tokens"), "--seed", 5, "--out", tmp_path / "one.abc")
    assert (tmp_path / "one.abc").read_text().strip() in done.stdout
    assert re.search(r"^title +key +metre +bars +seconds +bits +files$", done.stdout, re.M)
    assert re.search(rf"4/4 +\d+ +\d+\.\d +\d+\.\d\d  {tmp_path / 'one.abc'}", done.stdout)
    assert re.search(
        r"^[01] of 1 kept at the first draw, drawn again: \d+ not sound; model",
        done.stderr,
    )
    assert done.stderr.endswith("repeat with --seed 5\n")


@pytest.mark.parametrize("name", CONDITIONED)
def test_conditions_are_kept(name, sample):
    result = sample(
        name, "--key", "G", "--meter", "4/4", "--bars", 4, "--title", "Tune", "--count", 3,
        "--format", "abc", "--format", "midi",
    )  # fmt: skip
    for one in result["samples"]:
        assert one["metre"] == "4/4"
        assert one["key"] in ("G", "G major")
        assert one["title"] == "Tune"
        tune, music = map(read, one["files"])
        assert music.key_signatures[0].fifths == 1
        assert music.title == "Tune"
        if name in TUNES:
            score = abc.parse(tune, strict=True)
            assert (score.first("T"), score.first("K")) == ("Tune", "G")
        else:
            assert one["bars"] == 4


@pytest.mark.parametrize("name", TUNES)
def test_written_bars_are_as_many_as_asked_for(name, sample):
    for one in sample(name, "--bars", 5, "--count", 3)["samples"]:
        written = tune_to_music(Tune(one["abc"]), repeats=False)
        assert written.end // (4 * written.resolution) == 5, one["abc"]  # and a pickup or none


@pytest.mark.parametrize("name", CONDITIONED)
@pytest.mark.parametrize(
    ("option", "value", "known"), [("--meter", "7/8", "4/4"), ("--key", "Gmix", "major|K:|C")]
)
def test_conditions_that_the_model_never_saw(name, option, value, known, models, refused):
    message = refused("sample", models(name), option, value)
    assert re.search(f"(knows|there are):? .*({known})", message), message


@pytest.mark.parametrize("name", CONDITIONED)
@pytest.mark.parametrize("condition", [("--meter", "waltz"), ("--key", "H")])
def test_conditions_that_are_none(name, condition, models, musicgen):
    done = musicgen("sample", models(name), *condition, code=2)
    assert condition[1] in done.stderr


@pytest.mark.parametrize("name", [n for n in encodings.NAMES if n not in CONDITIONED])
@pytest.mark.parametrize("condition", ["key", "meter", "bars"])
def test_encodings_without_conditions_say_so(name, condition, models, refused):
    value = {"key": "G", "meter": "4/4", "bars": 4}[condition]
    message = refused("sample", models(name), f"--{condition}", value)
    assert "tokens, characters, score-grid and chords can" in message


@pytest.mark.parametrize("name", CONDITIONED)
def test_without_constraints(name, sample):
    free, bound = (sample(name, *option)["samples"] for option in (("--no-constraints",), ()))
    assert Path(free[0]["files"][0]).exists()
    if name in TUNES:
        abc.parse(Tune(free[0]["abc"]), strict=True)
    assert bound


SCALE = [(n / 2, pitch) for n, pitch in enumerate((60, 62, 64, 65, 67, 69, 71, 72))]


@pytest.mark.parametrize("name", encodings.NAMES)
def test_a_primer_starts_each_piece_unless_it_is_left_out(name, corpora, sample, tmp_path):
    if name in TUNES:
        primer = tmp_path / "primer.abc"
        primer.write_text("X:1\nT:Tune\nM:4/4\nL:1/8\nK:C\n|:CDEFGABc|\n")
    else:
        primer = corpora["wav"] / "00.wav" if name in SOUNDS else corpora["midi"] / "00.mid"
    shape = ("--length", 200) if name in (*ROLLS, *SOUNDS) else ()
    kept, left = (
        sample(name, "--primer", primer, *shape, *option, "--out", tmp_path / folder)["samples"][0]
        for folder, option in (("kept", ()), ("left", ("--no-keep-primer",)))
    )
    first, second = read(kept["files"][0]), read(left["files"][0])
    if name in SOUNDS:
        assert len(second.samples) < len(first.samples)
        (given,) = wav.read(primer)
        assert pitch_of(first, len(given.samples)) == pytest.approx(pitch_of(given), rel=0.05)
        return
    assert kept["seconds"] > left["seconds"]
    start, rest = (onsets(convert(piece, Music)) for piece in (first, second))
    assert start[:8] == SCALE
    assert rest[:8] != SCALE


def pitch_of(sound, until=None):
    """Return the frequency of the strongest sine, in Hz."""
    samples = sound.samples[:until, 0]
    return np.abs(np.fft.rfft(samples)).argmax() * sound.rate / len(samples)


def onsets(music):
    """Return the times of the notes, in quarter notes, with their pitches."""
    return sorted(
        (note.time / music.resolution, note.pitch) for track in music.tracks for note in track.notes
    )


def test_a_primer_of_another_kind_is_converted(corpora, sample):
    (one,) = sample("tokens", "--primer", corpora["midi"] / "00.mid")["samples"]
    assert one["key"] == "C"
    assert onsets(convert(Tune(one["abc"]), Music))[:8] == SCALE


def test_a_key_moves_the_primer(corpora, sample):
    (one,) = sample("tokens", "--primer", corpora["midi"] / "00.mid", "--key", "D")["samples"]
    assert one["key"] == "D"
    assert [pitch % 12 for _, pitch in onsets(convert(Tune(one["abc"]), Music))[:3]] == [2, 4, 6]


@pytest.mark.parametrize("name", encodings.NAMES)
def test_a_primer_longer_than_the_sample(name, corpora, models, refused):
    form = {Tune: "abc", Music: "midi", Audio: "wav"}[encodings.get(name).kind]
    primer = corpora[form] / f"00{get(form).extensions[0]}"
    message = refused("sample", models(name), "--primer", primer, "--length", 1)
    assert re.search(r"is \d+ \w+s long, and a piece 1 at most: .* greater --length", message)


def test_primers_that_cannot_be_used(models, corpora, refused, tmp_path):
    strange, poem = tmp_path / "primer.abc", tmp_path / "poem.txt"
    strange.write_text("X:1\nK:C\nC^§\n", encoding="utf-8")
    poem.write_text("Call the piper.")
    message = refused("sample", models("characters"), "--primer", strange)
    assert "'§', '^'" in message or "'^', '§'" in message
    assert "no primer" in refused("sample", models("tokens"), "--primer", poem)
    assert "No such file" in refused("sample", models("tokens"), "--primer", tmp_path / "none.abc")
    sound = corpora["wav"] / "00.wav"
    assert "sound" in refused("sample", models("events"), "--primer", sound)


def polyphony(music):
    """Return the greatest number of notes that sound at once."""
    changes = sorted(
        change
        for track in music.tracks
        for note in track.notes
        for change in ((note.time, 1), (note.time + note.duration, -1))
    )
    return int(np.cumsum([step for _, step in changes]).max())


@pytest.mark.parametrize("name", ROLLS)
def test_thresholds(name, models, corpora, sample, refused):
    known = Model.load(models(name)).facts["decoding"]["thresholds"]

    def drawn(threshold):
        primer = corpora["midi"] / "00.mid"
        (one,) = sample(
            name, "--primer", primer, "--length", 100, "--threshold", threshold, "--seed", 1
        )["samples"]
        return onsets(read(one["files"][0]))

    assert onsets(read(sample(name, "--threshold", 0.001)["samples"][0]["files"][0]))
    if name == "velocity-roll":  # the first notes of a piano roll are drawn all the same
        message = refused("sample", models(name), "--threshold", 0.999, "--length", 8)
        assert "a piece without notes" in message
    for criterion in ("f1", "polyphony"):
        assert drawn(criterion) == drawn(known[criterion]["all"])
        assert len(known[criterion]["per pitch"]) > 1
    assert drawn("auto") == drawn("polyphony")
    assert drawn("f1/pitch")


@pytest.mark.parametrize("name", ROLLS)
def test_at_most_and_exactly_so_many_notes(name, sample):
    (one,) = sample(name, "--max-polyphony", 1, "--threshold", 0.001)["samples"]
    assert polyphony(read(one["files"][0])) == 1
    (three,) = sample(name, "--top-notes", 3, "--length", 8)["samples"]
    most = polyphony(read(three["files"][0]))
    assert most == 3 or (name == "velocity-roll" and most == 2)  # a velocity of 0 is none


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("tokens", ("--threshold", "auto")), ("events", ("--max-polyphony", 2)),
        ("piano-roll", ("--top-k", 3)), ("spectrum", ("--beam", 2)),
        ("tokens", ("--no-constraints", "--meter", "6/8")), ("tokens", ("--beam", 2, "--count", 2)),
        ("piano-roll", ("--threshold", "nan")),
    ],
)  # fmt: skip
def test_options_that_would_do_nothing_are_refused(name, option, models, refused):
    message = refused("sample", models(name), *option)
    assert re.search("means nothing to|only be asked for under|finds one piece|expected", message)


def test_samples_under_a_threshold_differ(sample):
    found = sample("piano-roll", "--threshold", "auto", "--count", 4, "--length", 64)["samples"]
    assert len({Path(one["files"][0]).read_bytes() for one in found}) > 1


def test_a_primer_is_the_first_tune_of_its_file(sample, tmp_path):
    tune = "X:{}\nM:4/4\nL:1/2\nK:C\n{}|\n"
    (tmp_path / "two.abc").write_text(tune.format(1, "CD|EF") + "\n" + tune.format(2, "gf|ed"))
    (one,) = sample("tokens", "--primer", tmp_path / "two.abc", "--bars", 3)["samples"]
    music = read(one["files"][0])
    # The octave is the tune's own choice.
    found = [note.pitch % 12 for note in convert(music, Music).tracks[0].notes[:8]]
    assert found[:4] == [0, 2, 4, 5]
    assert found[4:] != [7, 5, 4, 2]


def test_thresholds_that_there_are_not(models, refused):
    message = refused("sample", models("piano-roll"), "--threshold", "low")
    assert "expected a number, auto, f1, polyphony" in message
    unfinished = models("piano-roll").with_suffix(".last.safetensors")
    message = refused("sample", unfinished, "--threshold", "auto")
    assert "was not calibrated" in message


@pytest.mark.parametrize(
    "option",
    [
        ("--temperature", "-1"), ("--top-p", "1.5"), ("--top-k", "0"), ("--min-p", "2"),
        ("--format", "wax"), ("--out", "two.abc", "--count", "2"),
        ("--out", "two.abc", "--format", "abc", "--format", "midi"),
    ],
)  # fmt: skip
def test_impossible_settings(option, models, refused, tmp_path):
    message = refused("sample", models("tokens"), *option, cwd=tmp_path)
    assert re.search("expected|there are|give", message)
    assert not list(tmp_path.iterdir())


def test_sound_does_not_become_notes(models, refused, tmp_path):
    message = refused("sample", models("fourier"), "--format", "midi", *SHORT["fourier"])
    assert "notes" in message


@pytest.mark.parametrize("name", ["tokens", "events", "chords"])
def test_a_beam_finds_what_is_likely(name, sample):
    drawn = sample(name, "--temperature", 3, "--top-p", 1)["samples"][0]
    found = sample(name, "--beam", 3)["samples"][0]
    assert found["bits"] < drawn["bits"]


def test_other_ways_to_draw(sample):
    plain = sample("events", "--length", 300)["samples"][0]
    for option in (
        ("--temperature", 0.3), ("--top-k", 2), ("--top-p", 0.3), ("--min-p", 0.5),
    ):  # fmt: skip
        assert sample("events", "--length", 300, *option)["samples"][0]["bits"] < plain["bits"], (
            option
        )
    loop, broken = (
        sample("events", "--top-k", 1, "--no-constraints", "--length", 300, *option)["samples"][0]
        for option in ((), ("--repetition-penalty", 5))
    )
    assert broken["bits"] > loop["bits"]


def test_a_model_that_writes_nothing_sound(models, refused):
    message = refused("sample", models("characters"), "--length", 3, "--no-constraints")
    assert "wrote nothing to keep in 20 draws: 20 not sound, the last: " in message
    assert "no end within 3 characters (raise --length)" in message


def test_draws_that_are_not_sound_are_counted(sample):
    found = sample("characters", "--no-constraints", "--count", 8)
    draws = [one["draws"] for one in found["samples"]]
    assert sum(draws) - 8 == len(found["rejected"])
    assert len(found["rejected"]) > 0
    assert all(found["rejected"])


def test_many_at_once_are_as_single_ones(models, tmp_path):
    several = sample_from(models("events"), tmp_path / "a", count=3, seed=2)
    alone = sample_from(models("events"), tmp_path / "b", count=1, seed=2)
    assert several.samples[0].music == alone.samples[0].music
    assert several.samples[0].bits == pytest.approx(alone.samples[0].bits, rel=1e-4)
    assert Model.load(several.model).encoding.name == "events"
    assert midi.read(several.samples[2].files[0])
    assert not wav.sniff(several.samples[2].files[0].read_bytes())


def test_tunes_without_a_metre_need_no_constraints(musicgen, refused, tmp_path):
    (tmp_path / "free").mkdir()
    for number in range(8):
        text = f"X:1\nM:none\nL:1/8\nK:C\nC{'DEFGABcd'[number]}EFG|\n"
        (tmp_path / "free" / f"{number}.abc").write_text(text)
    tiny = ("--hidden-size", 24, "--num-layers", 1, "--epochs", 60, "--learning-rate", 0.03)
    musicgen("train", "free", *tiny, cwd=tmp_path)
    assert "with --no-constraints" in refused("sample", "free", cwd=tmp_path)
    done = musicgen("sample", "free", "--no-constraints", "--seed", 1, cwd=tmp_path)
    assert "M:none\n" in done.stdout


def test_what_copies_too_much_is_refused(models, corpora, musicgen, refused, tmp_path):
    drawn = ("sample", models("tokens"), "--seed", 3, "--pictures", 0, "--out", tmp_path / "a.abc")
    musicgen(*drawn)
    free = (tmp_path / "a.abc").read_bytes()
    corpus = ("--corpus", corpora["abc"])
    musicgen(*drawn, "--max-copy", 1000, *corpus)
    assert (tmp_path / "a.abc").read_bytes() == free
    message = refused(*drawn, "--max-copy", 3, *corpus)
    assert "wrote nothing to keep in 20 draws" in message
    assert re.search(
        r" \d+ copied too much, the last: \d+ notes in a row stand in Tune \(\d\d\.abc\), from bar "
        r"\d+ on",
        message,
    )


def test_draws_that_copy_are_counted_apart(models, corpora, monkeypatch, tmp_path):
    answers = iter(["a copy", "", "another", ""])
    monkeypatch.setattr(copying, "copy_check", lambda *_: lambda piece: next(answers))
    found = sample_from(
        models("tokens"), tmp_path, count=2, seed=3, corpus=corpora["abc"], max_copy=9
    )
    assert found.copied == ["a copy", "another"]
    assert sum(one.draws - 1 for one in found.samples) == 2 + len(found.rejected)
    assert found.refusals.endswith("2 copied too much, the last: another")


def test_a_primer_may_be_of_the_corpus(models, tmp_path):
    run = "CEGcBAFDEFGABcdeFGAFDECG"  # 24 notes
    head = "X:1\nT:Source\nM:4/4\nL:1/8\nK:C\n"
    (tmp_path / "corpus.abc").write_text(f"{head}{run}|\n")
    primer = tmp_path / "primer.abc"
    primer.write_text(f"{head}{run[:8]}|{run[8:16]}|{run[16:]}|")
    asked = {"primer": primer, "bars": 8, "seed": 3}
    limit = {"corpus": tmp_path / "corpus.abc", "max_copy": 20}
    (one,) = sample_from(models("tokens"), tmp_path, **asked, **limit).samples
    source = tune_to_music(Tune(f"{head}{run}|\n"))
    assert NoveltyIndex([source]).look_up(one.music).match.length >= 24
    # What follows is looked up all the same.
    (rest,) = sample_from(models("tokens"), tmp_path, keep_primer=False, **asked).samples
    limit["corpus"].write_text(f"{head}{run}|\n\n{rest.piece.text}")
    assert sample_from(models("tokens"), tmp_path, **asked, **limit | {"max_copy": 4}).copied


def test_copies_are_looked_for_in_a_corpus(models, corpora, refused):
    alone = refused("sample", models("tokens"), "--max-copy", 9)
    assert "give both --max-copy and --corpus (max_copy and corpus)" in alone
    sound = ("sample", models("spectrum"), "--max-copy", 9, "--corpus", corpora["wav"])
    assert "spectrum writes sound" in refused(*sound)


def test_three_notes_are_the_fewest_that_may_be_asked_for(models, corpora, musicgen):
    asked = ("--max-copy", 2, "--corpus", corpora["abc"])
    said = musicgen("sample", models("tokens"), *asked, code=2).stderr
    assert "'--max-copy': Input should be greater than or equal to 3" in said
    with pytest.raises(ValueError, match="max_copy is 2; expected 3 or more"):
        sample_from(models("tokens"), max_copy=2, corpus=corpora["abc"])
