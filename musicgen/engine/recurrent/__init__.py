"""Recurrent layers over whole sequences: the fast path."""

from musicgen.engine.recurrent.base import Recurrent
from musicgen.engine.recurrent.elman import Elman
from musicgen.engine.recurrent.gru import GRU
from musicgen.engine.recurrent.lstm import LSTM
from musicgen.engine.recurrent.stack import initial_stack, stack

__all__ = ["GRU", "LSTM", "Elman", "Recurrent", "initial_stack", "stack"]
