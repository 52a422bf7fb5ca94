"""A model: a network with the encoding that it speaks, kept in one file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import safetensors
from safetensors.numpy import save

from musicgen.encodings import ENCODINGS, Encoding
from musicgen.errors import ModelError
from musicgen.files import write_atomically
from musicgen.networks.recurrent import Architecture, Network

__all__ = ["Model"]

VERSION = 1


@dataclass(slots=True)
class Model:
    """A network, its encoding, and what is known of its training.

    Attributes
    ----------
    network
        The weights.
    encoding
        Pieces ↔ symbols.
    facts
        JSON-able data kept with the model: corpus, settings, history.
    """

    network: Network
    encoding: Encoding
    facts: dict[str, Any] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write the model as one ``.safetensors`` file, replacing it in one step.

        Equal models give equal bytes: all metadata are one JSON text, since the library keeps
        several entries in no fixed order.
        """
        header = {
            "version": VERSION,
            "encoding": {"name": self.encoding.name, "state": self.encoding.state()},
            "architecture": asdict(self.network.architecture),
            "facts": self.facts,
        }
        metadata = {"musicgen": json.dumps(header, ensure_ascii=False, sort_keys=True)}
        write_atomically(path, save(self.network.weights(), metadata))

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
                weights = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118
        except (safetensors.SafetensorError, OSError) as error:
            raise ModelError(f"{path} is no model file ({error}); expected .safetensors") from error
        if "musicgen" not in metadata:
            raise ModelError(f"{path} was not written by musicgen: its metadata say nothing of it")
        try:
            return cls._from_header(json.loads(metadata["musicgen"]), weights)
        except ModelError as error:
            raise ModelError(f"{path}: {error}") from error
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{path} is broken: its metadata lack or hold {error}") from error

    @classmethod
    def _from_header(cls, header: dict[str, Any], weights: Mapping[str, Any]) -> Model:
        if header["version"] > VERSION:
            raise ModelError(
                f"the model is of version {header['version']}, this musicgen reads up to "
                f"version {VERSION}: update musicgen"
            )
        name = header["encoding"]["name"]
        if name not in ENCODINGS:
            raise ModelError(f"the model's encoding {name!r} is not known: update musicgen")
        return cls(
            Network(Architecture(**header["architecture"]), weights),
            ENCODINGS[name].from_state(header["encoding"]["state"]),
            header["facts"],
        )
