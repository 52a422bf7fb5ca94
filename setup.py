"""The models of ``models/`` and the kernels in C; all else stands in pyproject.toml."""

from pathlib import Path

from setuptools import Extension, find_packages, setup

KERNELS = Path("musicgen/kernels")

setup(
    packages=[*find_packages(include=["musicgen*"]), "musicgen.models"],
    package_dir={"musicgen.models": "models"},
    package_data={"musicgen": ["py.typed"], "musicgen.models": ["*.safetensors", "*.md"]},
    ext_modules=[
        Extension(
            "musicgen.kernels._native",
            [str(KERNELS / "_native.c")],
            depends=sorted(map(str, KERNELS.glob("*.h"))),
            extra_compile_args=["-O3", "-fno-math-errno"],
            py_limited_api=True,
            optional=True,  # where it cannot be compiled, numpy does the work
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
