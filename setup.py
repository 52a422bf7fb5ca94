"""Install the models of ``models/`` beside the code; all else stands in pyproject.toml."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["musicgen*"]), "musicgen.models"],
    package_dir={"musicgen.models": "models"},
    package_data={"musicgen": ["py.typed"], "musicgen.models": ["*.safetensors", "*.md"]},
)
