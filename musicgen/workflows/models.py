"""Models by name: those in ``models/`` here, and those that come with the package."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from musicgen.errors import ModelError
from musicgen.networks import Model

__all__ = ["DEFAULT", "MODELS", "ModelReport", "find_model", "list_models", "model_info"]

MODELS = Path("models")
DEFAULT = "irish"
SUFFIX = ".safetensors"

_PACKAGE = Path(__file__).parents[1]
# Installed within the package; beside it in a checkout.
SHIPPED = next(filter(Path.is_dir, (_PACKAGE / "models", _PACKAGE.parent / "models")), MODELS)


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What a model is.

    Attributes
    ----------
    name, path
        By what it is found, and where.
    shipped
        Whether it came with the package.
    encoding, kind
        Names of the encoding, and of the pieces that it speaks of.
    architecture
        Fields of `musicgen.networks.Architecture`.
    weights, bytes
        Size of the network, and of the file.
    validation, unit
        Its validation cost, and what that is counted in.
    facts
        All that is known of its training.
    card
        The model card, a file of text beside the model; None where there is none.
    """

    name: str
    path: Path
    shipped: bool
    encoding: str
    kind: str
    architecture: dict[str, Any]
    weights: int
    bytes: int
    validation: float
    unit: str
    facts: dict[str, Any]
    card: Path | None


def find_model(model: str | Path | None = None) -> Path:
    """Find a model file by path, by name in ``models/``, or by name among those of the package.

    Raises
    ------
    ModelError
        When there is none; the message names those that there are.
    """
    model = DEFAULT if model is None else model
    for path in (Path(model), MODELS / f"{model}{SUFFIX}", SHIPPED / f"{model}{SUFFIX}"):
        if path.is_file():
            return path
    known = ", ".join(_found()) or "none yet"
    raise ModelError(
        f"there is no model {model}, and no models/{model}{SUFFIX}; there are: {known}"
    )


def list_models() -> list[ModelReport]:
    """Describe every model in ``models/`` and in the package, by name.

    A file that cannot be read is left out.
    """
    reports = []
    for name in _found():
        try:
            reports.append(model_info(name))
        except (ModelError, OSError):
            continue
    return reports


def model_info(model: str | Path | None = None) -> ModelReport:
    """Describe a model.

    Raises
    ------
    ModelError
        When there is no such model, or it cannot be read.
    """
    path = find_model(model)
    loaded = Model.load(path)
    encoding, facts = loaded.encoding, loaded.facts
    card = path.with_suffix(".md") if path.with_suffix(".md").is_file() else None
    # In a checkout, models that were trained there lie beside those that come along.
    shipped = card is not None and path.resolve().parent == SHIPPED.resolve()
    return ModelReport(
        path.stem, path, shipped, encoding.name, encoding.kind.__name__,
        asdict(loaded.network.architecture), loaded.network.size, path.stat().st_size,
        facts["validation"], facts["unit"], facts,
        card,
    )  # fmt: skip


def _found() -> dict[str, Path]:
    """Return model files by name; one here hides one of the package."""
    files = [*SHIPPED.glob(f"*{SUFFIX}"), *MODELS.glob(f"*{SUFFIX}")]
    last = f".last{SUFFIX}"
    return {file.stem: file for file in sorted(files) if not file.name.endswith(last)}
