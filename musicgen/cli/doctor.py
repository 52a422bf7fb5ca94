"""``musicgen doctor``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

from typer import Option

__all__ = ["EXAMPLES", "doctor"]

EXAMPLES = "\b\nExample:\n  musicgen doctor --json\n"


def doctor(
    as_json: Annotated[bool, Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Say what this installation computes with, and which optional parts are there."""
    from musicgen.workflows import diagnose
    from musicgen.workflows.doctor import PARTS

    found = diagnose()
    kernels = found.kernels
    if as_json:
        print(json.dumps(asdict(found) | {"kernels": kernels and kernels._asdict()}))
        return
    print(f"musicgen:    {found.musicgen}")
    print(f"python:      {found.python}, {found.machine}")
    print(f"numpy:       {found.numpy} with {found.blas}")
    print(f"processors:  {found.cores}, of which {found.usable} may be used")
    if kernels is None:
        print(f"kernels:     none: {found.problem}")
    else:
        print(f"kernels:     {kernels.name} ({kernels.reason})")
        print(f"possible:    {', '.join(kernels.possible)}; choose one with MUSICGEN_KERNELS")
        if kernels.name != "numpy":
            print(f"threads:     {kernels.threads}; choose a number with --threads N "
                  "or MUSICGEN_THREADS")  # fmt: skip
    for name, there in found.parts.items():
        print(f"{name + ':':13}{'there' if there else 'missing'} – {PARTS[name]}")
