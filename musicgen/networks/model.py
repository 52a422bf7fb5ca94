"""A model: a network with the encoding that it speaks, kept in one file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
from safetensors.numpy import save

from musicgen import encodings
from musicgen.encodings import Encoding
from musicgen.engine import Array
from musicgen.errors import EncodingError, ModelError
from musicgen.files import write_atomically
from musicgen.networks.architecture import Architecture
from musicgen.networks.recurrent import Network

__all__ = ["Model"]

VERSION = 3

Marks = npt.NDArray[np.uint64]


@dataclass(slots=True)
class Model:
    """A network, its encoding, and what is known of its training.

    Attributes
    ----------
    network
        The weights.
    encoding
        Pieces ↔ symbols or frames.
    facts
        JSON-able data kept with the model: corpus, settings, history.
    training
        JSON-able values and arrays from which an unfinished training goes on; mostly empty.
    learned
        ``(n,)`` of uint64, sorted: the marks of the pieces that it learned from, as in
        `musicgen.training.Contents`.
    """

    network: Network
    encoding: Encoding
    facts: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    learned: Marks = field(default_factory=lambda: np.zeros(0, np.uint64))

    def save(self, path: Path) -> None:
        """Write the model as one ``.safetensors`` file, replacing it in one step.

        Equal models give equal bytes: all metadata are one JSON text, since the library keeps
        several entries in no fixed order.
        """
        state, tensors = _parted("encoding.", self.encoding.state())
        training, more = _parted("training.", self.training)
        header = {
            "version": VERSION,
            "encoding": {"name": self.encoding.name, "state": state},
            "architecture": asdict(self.network.architecture),
            "facts": self.facts,
            "training": training,
        }
        metadata = {"musicgen": json.dumps(header, ensure_ascii=False, sort_keys=True)}
        arrays = self.network.weights() | tensors | more | {"learned": self.learned}
        write_atomically(path, save(arrays, metadata))

    @classmethod
    def load(cls, path: Path) -> Model:
        """Read a model file.

        Raises
        ------
        ModelError
            When it is no model, one of a newer version, or broken.
        OSError
            When it cannot be read.
        """
        with path.open("rb"):
            pass  # the library hides the system's reasons; open first to get them
        try:
            with safetensors.safe_open(path, "np") as stream:
                metadata = stream.metadata() or {}
                tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
        except (safetensors.SafetensorError, OSError) as error:
            raise ModelError(f"{path} is no model file ({error}); expected .safetensors") from error
        if "musicgen" not in metadata:
            raise ModelError(f"{path} was not written by musicgen: its metadata say nothing of it")
        try:
            return cls._from_header(json.loads(metadata["musicgen"]), tensors)
        except (ModelError, EncodingError) as error:
            raise ModelError(f"{path}: {error}") from error
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{path} is broken: its metadata lack or hold {error}") from error

    @classmethod
    def _from_header(cls, header: dict[str, Any], tensors: dict[str, Array]) -> Model:
        if header["version"] > VERSION:
            raise ModelError(
                f"the model is of version {header['version']}, this musicgen reads up to "
                f"version {VERSION}: update musicgen"
            )
        if header["version"] < VERSION:
            raise ModelError("the model is of an older musicgen: train it again")
        name = header["encoding"]["name"]
        if name not in encodings.NAMES:
            raise ModelError(f"the model's encoding {name!r} is not known: update musicgen")
        state = header["encoding"]["state"] | _taken("encoding.", tensors)
        training = header["training"] | _taken("training.", tensors)
        learned = tensors.pop("learned")
        return cls(
            Network(Architecture(**header["architecture"]), tensors),
            encodings.get(name).from_state(state),
            header["facts"],
            training,
            learned,
        )


def _parted(prefix: str, state: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Part what JSON can say from the arrays, which get a prefix to their names."""
    arrays = {key: value for key, value in state.items() if isinstance(value, np.ndarray)}
    rest = {key: value for key, value in state.items() if key not in arrays}
    return rest, {prefix + key: np.ascontiguousarray(array) for key, array in arrays.items()}


def _taken(prefix: str, tensors: dict[str, Array]) -> dict[str, Array]:
    """Take the arrays with a prefix away."""
    names = [name for name in tensors if name.startswith(prefix)]
    return {name.removeprefix(prefix): tensors.pop(name) for name in names}
