"""Descriptions of feed-forward layers, from which `Sequential` makes weights and nodes.

Named like the engine's nodes, where their equations stand. A description knows which weights it
needs and owns none, so that it may stand in several networks. Shapes are without the batch's axis.

>>> Dense(3, activation="relu").units
3
"""

from musicgen.networks.layers.base import ACTIVATIONS, Layer
from musicgen.networks.layers.plain import (
    Activation,
    AveragePool1D,
    AveragePool2D,
    Dropout,
    Flatten,
    MaxPool1D,
    MaxPool2D,
    Reshape,
    UpSampling1D,
    UpSampling2D,
)
from musicgen.networks.layers.weighted import (
    BatchNormalization,
    Conv1D,
    Conv2D,
    Dense,
    Embedding,
)

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "AveragePool1D",
    "AveragePool2D",
    "BatchNormalization",
    "Conv1D",
    "Conv2D",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "Layer",
    "MaxPool1D",
    "MaxPool2D",
    "Reshape",
    "UpSampling1D",
    "UpSampling2D",
]
