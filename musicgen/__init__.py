"""Learn music from a folder of files, on your own machine, and write new music back."""

__all__ = ["__version__"]

__version__ = "0.1.0"
