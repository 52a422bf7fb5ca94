"""``musicgen sample``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

__all__ = ["EXAMPLES", "sample"]

EXAMPLES = """\b
Examples:
  musicgen sample
  musicgen sample models/ryans.safetensors --format abc --format midi --count 5
  musicgen sample ryans --primer opening.abc --temperature 0.6 --seed 7
"""


def sample(
    model: Annotated[
        str | None,
        typer.Argument(help="Model file, or name of one in models/.  [default: the newest there]"),
    ] = None,
    format: Annotated[
        list[str] | None,
        Option(help="abc, midi, musicxml or wav; may be given several times.  [default: abc]"),
    ] = None,
    count: Annotated[int, Option(min=1, help="Number of tunes.")] = 1,
    temperature: Annotated[float, Option(help="Below 1 safer, above 1 bolder.")] = 0.8,
    top_k: Annotated[int | None, Option(help="Draw from the k likeliest only.")] = None,
    top_p: Annotated[
        float, Option(help="Draw from the likeliest of this probability only; 1 for all.")
    ] = 0.95,
    length: Annotated[int, Option(min=1, help="Most characters of a tune.")] = 3000,
    primer: Annotated[Path | None, Option(help="ABC file that each tune starts with.")] = None,
    seed: Annotated[
        int | None, Option(min=0, help="Same seed, same tunes.  [default: a fresh one]")
    ] = None,
    out: Annotated[
        Path | None,
        Option(help="Folder, or a file for one tune in one format.  [default: samples/]"),
    ] = None,
    plot: Annotated[bool, Option(help="Draw each tune's piano roll beside it (PNG).")] = False,
    as_json: Annotated[bool, Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Write new music with a model.

    A tune that does not parse without repair is drawn again, and counted.
    """
    from tqdm import tqdm

    from musicgen.workflows import sample_from

    with tqdm(total=count, disable=None if count > 1 else True, leave=False, unit="tune") as bar:
        result = sample_from(
            model, out, formats=format or ["abc"], count=count, temperature=temperature,
            top_k=top_k, top_p=top_p, length=length, primer=primer, seed=seed,
            progress=lambda done, _: bar.update(done - bar.n),
        )  # fmt: skip
    pictures = []
    if plot:
        from musicgen import plots

        for one in result.samples:
            pictures.append(one.files[0].with_suffix(".png"))
            plots.piano_roll(one.music, pictures[-1])
    if as_json:
        print(
            json.dumps(
                {
                    "model": str(result.model),
                    "seed": result.seed,
                    "rejected": result.rejected,
                    "samples": [
                        {
                            "title": one.title,
                            "key": one.key,
                            "metre": one.metre,
                            "bars": one.bars,
                            "seconds": round(one.music.seconds, 2),
                            "bits": round(one.bits, 4),
                            "draws": one.draws,
                            "abc": one.tune.text,
                            "files": [str(file) for file in one.files],
                        }
                        for one in result.samples
                    ],
                    "pictures": [str(picture) for picture in pictures],
                }
            )
        )
        return
    if count == 1:
        print(result.samples[0].tune.text)
    print(f"{'title':32}  {'key':6}{'metre':7}{'bars':>4}{'seconds':>9}{'bits':>7}  files")
    for one in result.samples:
        files = ", ".join(map(str, one.files))
        print(
            f"{one.title[:32]:32}  {one.key:6}{one.metre:7}{one.bars:4}{one.music.seconds:9.1f}"
            f"{one.bits:7.2f}  {files}"
        )
    for picture in pictures:
        print(f"piano roll: {picture}")
    first = sum(one.draws == 1 for one in result.samples)
    print(
        f"{first} of {count} parsed at the first draw, {len(result.rejected)} drawn again; "
        f"model {result.model}; repeat with --seed {result.seed}",
        file=sys.stderr,
    )
