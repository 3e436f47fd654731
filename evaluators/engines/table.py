"""What is known of each engine without importing it. A new engine is one line here."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NEWEST = "999999"
"""Newer than any release: what its companions are is what the newest one's are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """Another requirement that some releases of an engine need beside them."""

    releases: str
    """Which releases, such as "<1.7"."""
    requirement: str
    """What they need, such as "numpy<2"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A distribution that adapters of ours evaluate with."""

    distribution: str
    """Its name on the package index."""
    evaluators: tuple[str, ...]
    """The adapters' names."""
    module: str
    """The adapters' module, which imports the engine."""
    supported: str
    """Which releases the adapters are tested with, such as ">=1.6.2"."""
    companions: tuple[Companion, ...] = ()

    @property
    def newest(self) -> tuple[str, ...]:
        """The newest supported release with what it needs, as requirements for an installer."""
        return (f"{self.distribution}{self.supported}", *self.requirements(_NEWEST))

    @property
    def extra(self) -> str:
        """What to install to have it."""
        return f"graphgauge[{self.distribution}]"

    def requirements(self, release: str) -> tuple[str, ...]:
        """What else that release needs installed, as requirements for an installer."""
        return tuple(
            each.requirement for each in self.companions if matches(release, each.releases)
        )

    def unsupported(self, release: str) -> str | None:
        """Why the adapters refuse that release, or None."""
        if matches(release, self.supported):
            return None
        return (
            f"{self.distribution} {release} is outside the supported {self.supported}; "
            f"install another release, or say in evaluators/engines/table.py that it works"
        )


def matches(release: str, specifiers: str) -> bool:
    """Whether a release is within comma-separated bounds such as ">=1.6.2,<2".

    Numbers alone are compared: 2.0rc1 counts as 2.0.
    """
    found = _numbers(release)
    for specifier in specifiers.split(","):
        bound = re.fullmatch(r"\s*(>=|<=|>|<|==)\s*([\w.+!-]+)\s*", specifier)
        if bound is None:
            raise ValueError(f"found {specifier!r}; expected a bound such as '>=1.6.2'")
        if not _COMPARISONS[bound[1]](found, _numbers(bound[2])):
            return False
    return True


_COMPARISONS = {
    ">=": tuple.__ge__,
    "<=": tuple.__le__,
    ">": tuple.__gt__,
    "<": tuple.__lt__,
    "==": tuple.__eq__,
}


def _numbers(release: str) -> tuple[int, ...]:
    leading = re.match(r"\d+(\.\d+)*", release)
    numbers = [int(each) for each in leading[0].split(".")] if leading else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


ENGINES: tuple[Engine, ...] = (
    Engine(
        distribution="autograd",
        evaluators=("autograd", "autograd-network"),
        module="evaluators.engines.autograd",
        supported=">=1.6.2,<2",
        # 1.6.2 reads numpy.linalg.linalg, which NumPy 2 made private; its metadata does not say so.
        companions=(Companion(releases="<1.7", requirement="numpy<2"),),
    ),
    Engine(
        distribution="jax",
        evaluators=("jax", "jax-network"),
        module="evaluators.engines.jax",
        supported=">=0.4.30",
    ),
    Engine(
        distribution="onnxruntime",
        evaluators=("onnxruntime",),
        module="evaluators.engines.onnxruntime",
        supported=">=1.16,<2",
        companions=(
            # The exporter is no dependency of ONNX Runtime's; one release of it for all of them.
            Companion(releases=">=1.16", requirement="onnx>=1.15,<2"),
            # Built against NumPy 1, which its metadata does not say.
            Companion(releases="<1.19", requirement="numpy<2"),
        ),
    ),
    Engine(
        distribution="torch",
        evaluators=("torch-eager", "torch-eager-network", "torch-compile", "torch-compile-network"),
        module="evaluators.engines.torch",
        supported=">=2.4,<3",
    ),
    Engine(
        distribution="pytensor",
        evaluators=("pytensor", "pytensor-network"),
        module="evaluators.engines.pytensor",
        supported=">=2.38,<4",
    ),
    Engine(
        distribution="casadi",
        evaluators=("casadi", "casadi-network"),
        module="evaluators.engines.casadi",
        supported=">=3.6.5,<4",
    ),
    Engine(
        distribution="openvino",
        evaluators=("openvino",),
        module="evaluators.engines.openvino",
        supported=">=2024.4,<2027",
        companions=(Companion(releases=">=2024.4", requirement="onnx>=1.15,<2"),),
    ),
    Engine(
        distribution="tensorflow",
        evaluators=("tensorflow", "tensorflow-network"),
        module="evaluators.engines.tensorflow",
        supported=">=2.16,<3",
    ),
    Engine(
        distribution="mlx",
        evaluators=("mlx", "mlx-network"),
        module="evaluators.engines.mlx",
        supported=">=0.26,<1",
        # The CPU's library comes apart from MLX itself on Linux.
        companions=(Companion(releases=">=0.26", requirement="mlx[cpu]"),),
    ),
    Engine(
        distribution="numexpr",
        evaluators=("numexpr",),
        module="evaluators.engines.numexpr",
        supported=">=2.10,<3",
    ),
    Engine(
        distribution="tinygrad",
        evaluators=("tinygrad", "tinygrad-network"),
        module="evaluators.engines.tinygrad",
        supported=">=0.10.3,<0.15",
    ),
    Engine(
        distribution="numba",
        evaluators=("numba",),
        module="evaluators.engines.numba",
        supported=">=0.59,<1",
        # Its products of matrices call SciPy's BLAS.
        companions=(Companion(releases=">=0.59", requirement="scipy"),),
    ),
)


def normalised(distribution: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub("[-_.]+", "-", distribution).lower()


def engine_named(distribution: str) -> Engine:
    """The engine of that distribution, which must be in the table."""
    return next(
        each for each in ENGINES if normalised(each.distribution) == normalised(distribution)
    )
