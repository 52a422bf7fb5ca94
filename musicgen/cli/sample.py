"""``musicgen sample``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from musicgen.cli.threads import Threads, compute_on
from musicgen.music import Audio, Tune

if TYPE_CHECKING:
    from musicgen.workflows import Sample, Sampling

__all__ = ["EXAMPLES", "sample"]

EXAMPLES = """\b
Examples:
  musicgen sample
  musicgen sample --key D --meter 6/8 --bars 16 --title "The Morning Train" --format midi
  musicgen sample models/ryans.safetensors --format abc --format wav --count 5
  musicgen sample ryans --primer opening.abc --temperature 0.6 --seed 7
  musicgen sample irish --count 10 --max-copy 12 --corpus corpora/irish
  musicgen sample piano-roll --threshold auto --max-polyphony 6
"""


def sample(
    model: Annotated[
        str | None,
        typer.Argument(help="Model file or name; see musicgen models list.  [default: irish]"),
    ] = None,
    format: Annotated[
        list[str] | None,
        Option(help="abc, midi, musicxml, wav, …; repeatable.  [default: the model's own]"),
    ] = None,
    count: Annotated[int, Option(min=1, help="Number of pieces.")] = 1,
    key: Annotated[str | None, Option(help="Such as D, Ador or Bm.")] = None,
    meter: Annotated[str | None, Option(help="Such as 6/8.")] = None,
    bars: Annotated[int | None, Option(min=1, help="Written bars.")] = None,
    title: Annotated[str | None, Option(help="What the piece is called.")] = None,
    constraints: Annotated[
        bool, Option(help="Whether bars must add up, repeats close, and so on.")
    ] = True,
    temperature: Annotated[
        float | None,
        Option(help="Lower is safer, higher bolder.  [default: 0.8; rolls 1, sound 1.7]"),
    ] = None,
    top_k: Annotated[int | None, Option(help="Draw from the k likeliest only.")] = None,
    top_p: Annotated[
        float, Option(help="Draw from the likeliest of this probability only; 1 for all.")
    ] = 0.95,
    min_p: Annotated[
        float | None, Option(help="Draw only what has this share of the likeliest's probability.")
    ] = None,
    repetition_penalty: Annotated[
        float, Option(help="Break off loops: 0 lets them go on, 1 is a mild start.")
    ] = 0.0,
    beam: Annotated[
        int | None, Option(min=1, help="Look for the likeliest with so many at once.")
    ] = None,
    threshold: Annotated[
        str | None,
        Option(help="Piano rolls: notes sound from here on; auto, f1, polyphony or a number."),
    ] = None,
    top_notes: Annotated[
        int | None, Option(min=1, help="Piano rolls: so many notes sound at each step.")
    ] = None,
    max_polyphony: Annotated[
        int | None, Option(min=1, help="Piano rolls: so many notes sound at most.")
    ] = None,
    length: Annotated[
        int | None, Option(min=1, help="Most symbols or frames.  [default: what is usual]")
    ] = None,
    primer: Annotated[
        Path | None, Option(help="Music file that each piece starts with, in any format.")
    ] = None,
    keep_primer: Annotated[bool, Option(help="Whether the primer stands in the result.")] = True,
    max_copy: Annotated[
        int | None,
        Option(min=3, help="Draw again what shares more notes in a row with --corpus, in any key."),
    ] = None,
    corpus: Annotated[Path | None, Option(help="Folder to look for copies in.")] = None,
    seed: Annotated[
        int | None, Option(min=0, help="Same command, same bytes.  [default: a fresh one]")
    ] = None,
    out: Annotated[
        Path | None,
        Option(help="Folder, or a file for one piece in one format.  [default: samples/]"),
    ] = None,
    pictures: Annotated[int, Option(min=0, help="Draw so many of the pieces (PNG).")] = 1,
    threads: Threads = None,
    as_json: Annotated[bool, Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Write new music with a model.

    A piece that is not sound, or copies too much, is drawn again, and counted.
    """
    compute_on(threads)
    from tqdm import tqdm

    from musicgen.workflows import sample_from

    with tqdm(total=count, disable=None if count > 1 else True, leave=False, unit="piece") as bar:
        result = sample_from(
            model, out, formats=format or (), count=count, temperature=temperature, top_k=top_k,
            top_p=top_p, min_p=min_p, repetition_penalty=repetition_penalty, beam=beam,
            threshold=_number(threshold), top_notes=top_notes, most_notes=max_polyphony,
            length=length, primer=primer, keep_primer=keep_primer, key=key, metre=meter, bars=bars,
            title=title, constraints=constraints, max_copy=max_copy, corpus=corpus, seed=seed,
            progress=lambda done, _: bar.update(done - bar.n),
        )  # fmt: skip
    drawn = [_draw(one) for one in result.samples[:pictures]]
    if as_json:
        print(json.dumps(_facts(result, drawn)))
        return
    if count == 1 and isinstance(result.samples[0].piece, Tune):
        print(result.samples[0].piece.text, end="\n\n")
    print(f"{'title':32}  {'key':10}{'metre':7}{'bars':>4}{'seconds':>9}{'bits':>7}  files")
    for one in result.samples:
        bars_, bits = one.bars or "", f"{one.bits:.2f}" if one.bits == one.bits else ""
        print(
            f"{one.title[:32]:32}  {one.key:10}{one.metre:7}{bars_:4}{one.seconds:9.1f}"
            f"{bits:>7}  {', '.join(map(str, one.files))}"
        )
    for picture in drawn:
        print(f"picture: {picture}")
    first = sum(one.draws == 1 for one in result.samples)
    again = f"{len(result.rejected)} not sound"
    if max_copy is not None:
        again += f", {len(result.copied)} copied too much"
    print(
        f"{first} of {count} kept at the first draw, drawn again: {again}; "
        f"model {result.model}; repeat with --seed {result.seed}",
        file=sys.stderr,
    )
    if len(result.samples) < count:
        print(f"only {len(result.samples)} of {count} written, the others were refused at every "
              f"draw: {result.refusals}", file=sys.stderr)  # fmt: skip
        raise typer.Exit(1)


def _number(text: str | None) -> float | str | None:
    """Read a threshold: a number, or the name of a calibrated one."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def _draw(one: Sample) -> Path:
    """Draw a piece beside its first file."""
    from musicgen import plots

    picture = one.files[0].with_suffix(".png")
    if isinstance(one.piece, Audio):
        plots.waveform_and_spectrogram(one.piece, picture)
    elif one.music:
        plots.piano_roll(one.music, picture)
    return picture


def _facts(result: Sampling, pictures: list[Path]) -> dict[str, Any]:
    return {
        "model": str(result.model),
        "seed": result.seed,
        "rejected": result.rejected,
        "copied": result.copied,
        "samples": [
            {
                "title": one.title,
                "key": one.key,
                "metre": one.metre,
                "bars": one.bars,
                "seconds": round(one.seconds, 2),
                "bits": round(one.bits, 4) if one.bits == one.bits else None,
                "draws": one.draws,
                "abc": one.piece.text if isinstance(one.piece, Tune) else None,
                "files": [str(file) for file in one.files],
            }
            for one in result.samples
        ],
        "pictures": [str(picture) for picture in pictures],
    }
