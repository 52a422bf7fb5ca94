"""Feed-forward networks: trained on arrays, and asked."""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from musicgen.engine import Array, Graph, Shape
from musicgen.errors import ModelError
from musicgen.networks.layers import Embedding, Layer
from musicgen.networks.losses import Loss, cost_graph, default_loss, find_loss
from musicgen.networks.stack import LayerStack
from musicgen.optim import Adam, Optimiser, clip_global_norm, l2_penalty

__all__ = ["Sequential"]

BATCH_SIZE = 32
Record = dict[str, float]


class Sequential(LayerStack):
    """A feed-forward network.

    Its graphs are static: one for each size of a batch, and kept, as the last batch of a set is
    often smaller than the others.

    Parameters
    ----------
    input_shape
        Of one example: without the batch's axis.
    layers
        Descriptions from `musicgen.networks.layers`.
    seed
        Seed or generator of the weights and, while training, of the order and the dropout masks.
    dtype
        Type of the weights.

    Raises
    ------
    GraphError, ModelError
        When a layer does not fit the one before.

    Examples
    --------
    >>> from musicgen.networks.layers import Dense
    >>> network = Sequential((2,), [Dense(8, "tanh"), Dense(1, "sigmoid")])
    >>> print(network.summary())
    layer    output  parameters
    dense_1  (8,)            24
    dense_2  (1,)             9
    total: 33
    trainable: 33
    not trainable: 0
    >>> x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0], [1], [1], [0]])
    >>> history = network.fit(x, y, epochs=200, learning_rate=0.05)
    >>> network.predict(x).round().ravel()
    array([0., 1., 1., 0.], dtype=float32)
    """

    def __init__(
        self,
        input_shape: Shape,
        layers: Iterable[Layer],
        *,
        seed: int | np.random.Generator = 0,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        self.rng = np.random.default_rng(seed)
        super().__init__(input_shape, layers, self.rng, dtype)
        self._graphs: dict[tuple[int, Loss | None], Graph] = {}
        self._default_loss = default_loss(self.build(1, False, self.rng))

    def predict(self, x: npt.ArrayLike, *, batch_size: int = BATCH_SIZE) -> Array:
        """Return the outputs ``(N, …)`` for examples ``(N, …)``, so many at once."""
        x = self._inputs(x)
        batches = [x[start : start + batch_size] for start in range(0, len(x), batch_size)]
        return np.concatenate([np.array(self._graph(len(b)).forward({"x": b})) for b in batches])

    def evaluate(
        self,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        *,
        loss: str | None = None,
        batch_size: int = BATCH_SIZE,
    ) -> Record:
        """Return the mean ``loss`` and, where right and wrong can be told, the ``accuracy``.

        Parameters
        ----------
        x, y, loss
            As `fit` has them.
        batch_size
            How many examples at once.
        """
        chosen = find_loss(loss) if loss else self._default_loss
        x, y = self._examples(x, y, chosen)
        graphs = functools.partial(self._graph, loss=chosen)
        return _run(x, y, chosen, np.arange(len(x)), batch_size, graphs)

    def fit(
        self,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        *,
        loss: str | None = None,
        optimiser: Optimiser | None = None,
        learning_rate: float = 1e-3,
        epochs: int = 10,
        batch_size: int = BATCH_SIZE,
        validation_split: float = 0.0,
        validation_data: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
        patience: int | None = None,
        l2: float = 0.0,
        grad_clip: float | None = None,
        progress: Callable[[Record], None] | None = None,
        rng: np.random.Generator | None = None,
    ) -> list[Record]:
        """Train the weights that are not frozen.

        Parameters
        ----------
        x, y
            Examples ``(N, …)`` and their targets: classes, as integers, for the softmax; for
            other losses arrays like the network's outputs.
        loss
            A key of `musicgen.networks.LOSSES`; by default what fits the last activation.
        optimiser
            Adam by default. It keeps its moments from one `fit` to the next.
        learning_rate
            η.
        epochs
            Passes over the examples, each in a new order.
        batch_size
            Examples in an update; the last batch of an epoch may be smaller.
        validation_split
            Share of the examples, from their end, that is not trained on but validated with.
        validation_data
            Examples and targets to validate with, instead.
        patience
            Epochs in a row without a new lowest validation loss after which the training ends;
            the weights of the lowest are then put back. By default it runs to the end.
        l2
            λ of a penalty ``λ Σ ‖W‖²`` on all weights with two axes or more.
        grad_clip
            Highest global norm of a gradient.
        progress
            Called with each record.
        rng
            Source of the order and the dropout masks; the network's own by default.

        Returns
        -------
        list of dict
            A record for each epoch: ``epoch``; ``loss`` and ``accuracy``, means over the batches
            as they were trained on, without the penalty; ``validation_loss`` and
            ``validation_accuracy``.

        Raises
        ------
        GraphError
            When the cost becomes NaN or infinite, with the node that made it so, or when arrays
            do not fit the graph.
        ModelError
            When the settings or the targets do not fit.
        """
        chosen = find_loss(loss) if loss else self._default_loss
        optimiser, rng = optimiser or Adam(), rng or self.rng
        x, y = self._examples(x, y, chosen)
        if validation_split and validation_data is not None:
            raise ModelError("found validation_split and validation_data; expected one of them")
        if not 0 <= validation_split < 1:
            raise ModelError(f"validation_split is {validation_split}; expected 0 ≤ share < 1")
        whole = {"epochs": epochs, "batch_size": batch_size, "patience": patience}
        for name, number in whole.items():
            if number is not None and number < 1:
                raise ModelError(f"{name} is {number}; expected 1 or more")
        if validation_split:
            end = len(x) - int(validation_split * len(x))
            if end in (0, len(x)):
                raise ModelError(
                    f"a validation_split of {validation_split} leaves {end} of {len(x)} examples "
                    "to train on; expected some on each side"
                )
            x, y, validation_data = x[:end], y[:end], (x[end:], y[end:])
        elif validation_data is not None:
            validation_data = self._examples(*validation_data, chosen)
        if patience is not None and validation_data is None:
            raise ModelError("patience needs validation_split or validation_data")
        trained = {name: p for name, p in self.parameters.items() if not p.frozen}
        values = {name: p.value for name, p in trained.items()}
        gradients = {name: p.gradient for name, p in trained.items()}
        kernels = {name: value for name, value in values.items() if value.ndim > 1}

        def update(graph: Graph) -> None:
            graph.backward()
            if l2:
                l2_penalty(kernels, gradients, l2)
            if grad_clip is not None:
                clip_global_norm(gradients.values(), grad_clip)
            optimiser.update(values, gradients, learning_rate)

        graphs = functools.cache(lambda B: cost_graph(self.build(B, True, rng), chosen))
        history: list[Record] = []
        best, lowest, misses = None, math.inf, 0
        for epoch in range(1, epochs + 1):
            found = _run(x, y, chosen, rng.permutation(len(x)), batch_size, graphs, update)
            record = {"epoch": epoch, **found}
            if validation_data is not None:
                found = self.evaluate(*validation_data, loss=loss, batch_size=batch_size)
                record |= {f"validation_{name}": value for name, value in found.items()}
            history.append(record)
            if progress is not None:
                progress(record)
            if patience is not None:
                if record["validation_loss"] < lowest:
                    best, lowest, misses = self.weights(), record["validation_loss"], 0
                else:
                    misses += 1
                if misses >= patience:
                    break
        if best is not None:
            self.load_weights(best)
        return history

    def _graph(self, B: int, loss: Loss | None = None) -> Graph:
        """Return the graph for evaluation: of the outputs, or of a cost and the logits."""
        if (B, loss) not in self._graphs:
            output = self.build(B, False, self.rng)
            self._graphs[B, loss] = cost_graph(output, loss) if loss else Graph(output)
        return self._graphs[B, loss]

    def _inputs(self, x: npt.ArrayLike) -> Array:
        x, first = np.asarray(x), self.layers[0]
        if x.shape[1:] != self.input_shape or not x.size:
            raise ModelError(f"x has shape {x.shape}; expected examples of {self.input_shape}")
        if isinstance(first, Embedding):
            _check_integers("x", x, first.symbols)
        return x

    def _examples(self, x: npt.ArrayLike, y: npt.ArrayLike, loss: Loss) -> tuple[Array, Array]:
        x, y = self._inputs(x), np.asarray(y)
        expected = (len(x), *(self.output_shape[:-1] if loss.classes else self.output_shape))
        if y.shape != expected:
            raise ModelError(f"y has shape {y.shape}; expected {expected} for a {loss.name}")
        if loss.classes:
            _check_integers("y", y, self.output_shape[-1])
        return x, y


def _check_integers(name: str, array: Array, n: int) -> None:
    if array.dtype.kind not in "iu" or array.min() < 0 or array.max() >= n:
        found = f"{array.dtype} from {array.min()} to {array.max()}"
        raise ModelError(f"{name} holds {found}; expected integers from 0 to {n - 1}")


def _run(
    x: Array,
    y: Array,
    loss: Loss,
    order: Array,
    batch_size: int,
    graphs: Callable[[int], Graph],
    update: Callable[[Graph], None] = lambda graph: None,
) -> Record:
    """Run every batch, and return means over all examples."""
    totals: defaultdict[str, float] = defaultdict(float)
    for start in range(0, len(x), batch_size):
        rows = order[start : start + batch_size]
        graph = graphs(len(rows))
        cost, logits = graph.forward({"x": x[rows], "targets": y[rows]})
        totals["loss"] += float(cost) * len(rows)
        if loss.right is not None:
            totals["accuracy"] += float(np.mean(loss.right(logits, y[rows]))) * len(rows)
        update(graph)
    return {name: total / len(x) for name, total in totals.items()}
