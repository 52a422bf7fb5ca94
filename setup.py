"""The models of the folder ``models/`` are installed beside the code; the rest is pyproject.toml's."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["musicgen*"]), "musicgen.models"],
    package_dir={"musicgen.models": "models"},
    package_data={"musicgen": ["py.typed"], "musicgen.models": ["*.safetensors", "*.md"]},
)
