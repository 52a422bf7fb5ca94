"""Whole jobs: what the command line and Python users both call.

Train on a folder and write a tune::

    from musicgen.workflows import sample_from, train_on

    training = train_on("corpora/ryans", minutes=5)
    sampling = sample_from(training.path, formats=["abc", "midi"], seed=1)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from musicgen.workflows.convert import Conversion, convert_file, convert_folder
    from musicgen.workflows.doctor import Diagnosis, diagnose
    from musicgen.workflows.evaluate import evaluate_model
    from musicgen.workflows.evaluation_page import write_page
    from musicgen.workflows.evaluation_result import Evaluation
    from musicgen.workflows.finishing import Sample
    from musicgen.workflows.inspect import (
        FileReport,
        FolderReport,
        Needs,
        PieceReport,
        inspect_files,
        needs,
    )
    from musicgen.workflows.models import ModelReport, find_model, list_models, model_info
    from musicgen.workflows.plot import PICTURES, plot_file
    from musicgen.workflows.sample import Sampling, sample_from
    from musicgen.workflows.score import ScoredPiece, Scoring, score_file
    from musicgen.workflows.tables import evaluation_tables
    from musicgen.workflows.task import CheckReport, StudyReport, run_checks, run_studies
    from musicgen.workflows.train import CorpusRead, Preview, Training, train_on

__all__ = [
    "PICTURES",
    "CheckReport",
    "Conversion",
    "CorpusRead",
    "Diagnosis",
    "Evaluation",
    "FileReport",
    "FolderReport",
    "ModelReport",
    "Needs",
    "PieceReport",
    "Preview",
    "Sample",
    "Sampling",
    "ScoredPiece",
    "Scoring",
    "StudyReport",
    "Training",
    "convert_file",
    "convert_folder",
    "diagnose",
    "evaluate_model",
    "evaluation_tables",
    "find_model",
    "inspect_files",
    "list_models",
    "model_info",
    "needs",
    "plot_file",
    "run_checks",
    "run_studies",
    "sample_from",
    "score_file",
    "train_on",
    "write_page",
]

# Resolved on first use: who samples need not load what reads folders.
_PLACES = {
    "CheckReport": "task",
    "Conversion": "convert",
    "CorpusRead": "train",
    "Diagnosis": "doctor",
    "Evaluation": "evaluation_result",
    "FileReport": "inspect",
    "FolderReport": "inspect",
    "ModelReport": "models",
    "Needs": "inspect",
    "PICTURES": "plot",
    "PieceReport": "inspect",
    "Preview": "train",
    "Sample": "finishing",
    "Sampling": "sample",
    "ScoredPiece": "score",
    "Scoring": "score",
    "StudyReport": "task",
    "Training": "train",
    "convert_file": "convert",
    "convert_folder": "convert",
    "diagnose": "doctor",
    "evaluate_model": "evaluate",
    "evaluation_tables": "tables",
    "find_model": "models",
    "inspect_files": "inspect",
    "list_models": "models",
    "model_info": "models",
    "needs": "inspect",
    "plot_file": "plot",
    "run_checks": "task",
    "run_studies": "task",
    "sample_from": "sample",
    "score_file": "score",
    "train_on": "train",
    "write_page": "evaluation_page",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
