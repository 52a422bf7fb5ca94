"""All optimisers at the same four examples: figure 7.1 of the report, and what it left open."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from musicgen.charts import Lines
from musicgen.engine import Array
from musicgen.networks.losses import LOSSES, cost_graph
from musicgen.optim import METHODS, Optimiser, minimise
from musicgen.tasks.base import Progress, Study, Table
from musicgen.tasks.optimisers import OPTIMISERS
from musicgen.tasks.xor.network import INPUTS, TARGETS, network

__all__ = ["study_optimisers"]

HIDDEN = 4
STARTS = 7
EVALUATIONS = 300
LOW = 0.01
RATES = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)


def study_optimisers(seed: int, progress: Progress) -> Study:
    """Compare costs by what they cost: evaluations of the cost and its gradient.

    An update is one evaluation; a second-order method makes several along a line, and Newton-CG two
    more for a product with the Hessian. Each optimiser is shown at the learning rate at which the
    median of the starts is fastest.

    Parameters
    ----------
    seed
        Seed of the starts, which all methods share.
    progress
        Told the share of the runs that is done.
    """
    first, second, needs, rows = {}, {}, {}, []
    steps = len(OPTIMISERS) * len(RATES) + len(METHODS)
    done = 0
    for name, make in OPTIMISERS.items():
        costs = {}
        for rate in RATES:
            costs[rate] = _descend(make, rate, seed)
            done += 1
            progress(done / steps)
        needed = {rate: _evaluations(found) for rate, found in costs.items()}
        best = min(RATES, key=lambda rate: (np.median(needed[rate]), needed[rate].max()))
        first[name] = _median(costs[best])
        medians = {rate: float(np.median(found)) for rate, found in needed.items()}
        reached = [rate for rate in RATES if np.isfinite(medians[rate])]
        needs[name] = reached, [medians[rate] for rate in reached]
        rows.append(_row(name, f"{best:g}", needed[best]))
    for method in METHODS:
        found = _search(method, seed)
        done += 1
        progress(done / steps)
        second[method] = _median(found)
        rows.append(_row(method, "–", _evaluations(found)))
    evaluations = "evaluations of cost and gradient"
    header = ["method", "learning rate", f"evaluations until {LOW} nats", "slowest start"]
    return Study(
        "Which optimiser learns exclusive or in the fewest evaluations?",
        [
            Lines("first order, best learning rates", evaluations, "nats", first, x_log=True),
            Lines("second order", evaluations, "nats", second, x_log=True),
            Lines(f"until {LOW} nats", "learning rate", "evaluations", needs, x_log=True),
        ],
        Table(header, rows),
    )


def _descend(make: Callable[[], Optimiser], rate: float, seed: int) -> Array:
    """Return the costs of all starts at all updates, ``(STARTS, EVALUATIONS)``."""
    curves = []
    for rng in np.random.default_rng(seed).spawn(STARTS):
        history = network(HIDDEN, "tanh", rng).fit(
            INPUTS, TARGETS, optimiser=make(), learning_rate=rate, epochs=EVALUATIONS
        )
        curves.append([record["loss"] for record in history])
    return np.array(curves)


def _search(method: str, seed: int) -> Array:
    """Return the lowest costs so far of all starts at all evaluations, in the same form."""
    curves = []
    for rng in np.random.default_rng(seed).spawn(STARTS):
        costs = _searched(method, rng)
        # A search that ends early stays where it is.
        costs += [min(costs)] * (EVALUATIONS - len(costs))
        curves.append(np.minimum.accumulate(costs)[:EVALUATIONS])
    return np.array(curves)


def _searched(method: str, rng: np.random.Generator) -> list[float]:
    """Return the costs that one search evaluates."""
    output = network(HIDDEN, "tanh", rng).build(len(INPUTS), True, rng)
    graph = cost_graph(output, LOSSES["sigmoid cross-entropy"])
    values = {name: parameter.value for name, parameter in graph.parameters.items()}
    gradients = {name: parameter.gradient for name, parameter in graph.parameters.items()}
    costs: list[float] = []

    def evaluate() -> tuple[float, Mapping[str, Array]]:
        cost, _ = graph.forward({"x": INPUTS, "targets": TARGETS})
        graph.backward()
        costs.append(float(cost))
        return costs[-1], gradients

    minimise(evaluate, values, method)
    return costs


def _evaluations(costs: Array) -> Array:
    """Return how many each start needed, infinity where the cost never became low."""
    low = costs < LOW
    return np.where(low.any(axis=1), low.argmax(axis=1) + 1, np.inf)


def _median(costs: Array) -> tuple[list[float], list[float]]:
    return list(range(1, EVALUATIONS + 1)), np.median(costs, axis=0).tolist()


def _row(name: str, rate: str, needed: Array) -> list[str]:
    figures = np.median(needed), needed.max()
    return [name, rate, *(f"{n:.0f}" if np.isfinite(n) else "never" for n in figures)]
