"""Matrix products and recurrent layers in C, where they can be had, and in numpy otherwise.

The kernels take contiguous float32 arrays; everything else is numpy's. They use threads of their
own, which must not meet those of numpy's products: two pools that wait for work with open eyes
take the machine from each other. So the products of a network of LSTM layers come through here.

Two environment variables choose: ``MUSICGEN_KERNELS`` is the name of an instruction set
(``avx512``, ``avx2``, ``neon``, ``plain``) or ``numpy``, ``MUSICGEN_THREADS`` a number of threads.
By default these are the best instruction set and as many threads as the process may use processors.
The choice is made at the first use, or by `choose`. The results do not depend on the number of
threads.
"""

from musicgen.kernels.choice import KernelChoice, choose, chosen, native, usable_cores
from musicgen.kernels.operations import (
    adam,
    add_rows,
    draw,
    lay_out,
    lstm_backward,
    lstm_forward,
    product,
    rmsprop,
    scale,
    softmax,
    softmax_slope,
    squared_norm,
    step,
)

__all__ = [
    "KernelChoice",
    "adam",
    "add_rows",
    "choose",
    "chosen",
    "draw",
    "lay_out",
    "lstm_backward",
    "lstm_forward",
    "native",
    "product",
    "rmsprop",
    "scale",
    "softmax",
    "softmax_slope",
    "squared_norm",
    "step",
    "usable_cores",
]
