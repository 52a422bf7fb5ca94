"""The models of ``models/`` and the kernels in C; all else stands in pyproject.toml."""

import os
import sysconfig
from pathlib import Path

from setuptools import Extension, find_packages, setup

KERNELS = Path("musicgen/kernels")
# Python without its lock has no limited API: there numpy does the work.
LIMITED = not sysconfig.get_config_var("Py_GIL_DISABLED")

setup(
    packages=[*find_packages(include=["musicgen*"]), "musicgen.models"],
    package_dir={"musicgen.models": "models"},
    package_data={"musicgen": ["py.typed"], "musicgen.models": ["*.safetensors", "*.md"]},
    ext_modules=[
        Extension(
            "musicgen.kernels._native",
            [str(KERNELS / "_native.c")],
            depends=sorted(map(str, KERNELS.glob("*.h"))),
            extra_compile_args=["-O3", "-fno-math-errno", "-pthread"],
            libraries=["m"] if os.name == "posix" else [],
            py_limited_api=LIMITED,
            optional=True,  # where it cannot be compiled, numpy does the work
        )
    ],
    include_package_data=False,  # a wheel needs no sources in C
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if LIMITED else {},
)
