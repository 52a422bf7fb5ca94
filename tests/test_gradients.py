"""Every node, cell and layer against central differences, in float64."""

import importlib
import pkgutil
import sys

import numpy as np
import pytest
from engine_cases import CASES, LAYERS, B, D, Weighted, layer_case, leaf, lengths, stack_case

import musicgen.engine as engine
from musicgen.engine import (
    Cell,
    Composite,
    Constant,
    Delay,
    Graph,
    Input,
    Node,
    Parameter,
    Recurrent,
    Tanh,
    check_gradients,
)
from musicgen.errors import GraphError

ABSTRACT = {Composite, Cell, Recurrent}
LEAVES = {Constant, Delay, Input, Parameter}


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def nodes(base=Node):
    """All public node classes of the package's modules, whether exported or not."""
    for module in pkgutil.walk_packages(engine.__path__, "musicgen.engine."):
        importlib.import_module(module.name)
    for node in base.__subclasses__():
        if getattr(sys.modules.get(node.__module__), node.__name__, None) is node:
            yield node
        yield from nodes(node)


def test_every_node_cell_and_layer_is_checked_and_exported():
    found = {node for node in nodes() if node.__module__.startswith("musicgen.")}
    found = {node for node in found if not node.__name__.startswith("_")} - ABSTRACT - LEAVES
    assert found == set(CASES)
    assert {node.__name__ for node in found} <= set(engine.__all__)


@pytest.mark.parametrize("node", CASES, ids=lambda node: node.__name__)
def test_gradients_equal_central_differences(node, rng):
    errors = check_gradients(Graph(CASES[node](rng)))
    assert len(errors) > 1
    assert "tangent" in errors
    assert max(errors.values()) <= 1e-6, errors


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.__name__)
@pytest.mark.parametrize("build", [lambda cls: layer_case(cls, lengths(4, 1, 3)), stack_case])
def test_unequal_lengths_and_stacks(layer, build, rng):
    errors = check_gradients(Graph(build(layer)(rng)), most=40)
    assert max(errors.values()) <= 1e-6, errors


@pytest.mark.parametrize("method", ["backward", "tangent"])
def test_a_wrong_node_is_caught(rng, method):
    class Wrong(Tanh):
        def backward(self, *gradients):
            return super().backward(*gradients) * (1.001 if method == "backward" else 1)

        def tangent(self, *directions):
            return super().tangent(*directions) * (1.001 if method == "tangent" else 1)

    errors = check_gradients(Graph(Weighted(Wrong(leaf(rng, "x", B, D)))))
    assert errors["tangent" if method == "tangent" else "x"] > 1e-4


def test_a_node_without_tangent_is_checked_in_reverse_mode(rng):
    class Reverse(Tanh):
        tangent = Node.tangent

    assert set(check_gradients(Graph(Weighted(Reverse(leaf(rng, "x", B, D)))))) == {"x"}


def test_gradient_check_refuses_single_precision(rng):
    with pytest.raises(GraphError, match="float64"):
        check_gradients(Graph(Tanh(leaf(rng, "x", 2, dtype=np.float32))))
