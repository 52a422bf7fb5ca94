"""``musicgen models``."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from typer import Option

__all__ = ["app"]

app = typer.Typer(
    help="Models by name: yours in models/, and those that come with musicgen.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog="""\b
Examples:
  musicgen models list
  musicgen models info irish
""",
)


@app.command("list", epilog="\b\nExample:\n  musicgen models list --json\n")
def list_(
    as_json: Annotated[bool, Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List the models that can be named."""
    from musicgen.workflows import list_models

    reports = list_models()
    if as_json:
        print(json.dumps([_facts(report) for report in reports]))
        return
    print(f"{'name':16}{'encoding':14}{'weights':>10}{'MB':>6}  {'validation':31}corpus")
    for report in reports:
        cost = f"{report.validation:.3f} {report.unit}"
        corpus = report.facts["corpus"]
        print(
            f"{report.name:16}{report.encoding:14}{report.weights:10,}{report.bytes / 1e6:6.1f}  "
            f"{cost:31}{corpus['name']}, {corpus['pieces']} pieces"
            f"{'' if report.shipped else '  (yours)'}"
        )


@app.command(epilog="\b\nExample:\n  musicgen models info irish --json\n")
def info(
    model: Annotated[str, typer.Argument(help="Model file, or name.")],
    as_json: Annotated[bool, Option("--json", help="Print the facts as JSON.")] = False,
) -> None:
    """Tell how a model was made: its card, where there is one, and its settings."""
    from musicgen.workflows import model_info

    report = model_info(model)
    if as_json:
        print(json.dumps(_facts(report) | {"facts": report.facts}))
        return
    if report.card:
        print(report.card.read_text(encoding="utf-8").rstrip(), end="\n\n")
    print(f"file:        {report.path} ({report.bytes / 1e6:.1f} MB)")
    print(f"encoding:    {report.encoding} of {report.kind} pieces")
    shape = report.architecture
    print(
        f"network:     {shape['num_layers']} × {shape['hidden_size']} {shape['cell']}, "
        f"{report.weights:,} weights"
    )
    print(f"validation:  {report.validation:.4f} {report.unit}")
    corpus, settings = report.facts["corpus"], report.facts["settings"]
    print(f"corpus:      {corpus['name']}, {corpus['pieces']} pieces, sha256 {corpus['sha256']}")
    print(f"settings:    {', '.join(f'{k} {v}' for k, v in settings.items() if v is not None)}")
    print(f"seed:        {report.facts['seed']}")


def _facts(report: Any) -> dict[str, Any]:
    return {
        "name": report.name,
        "path": str(report.path),
        "shipped": report.shipped,
        "encoding": report.encoding,
        "kind": report.kind,
        "architecture": report.architecture,
        "weights": report.weights,
        "bytes": report.bytes,
        "validation": report.validation,
        "unit": report.unit,
    }
