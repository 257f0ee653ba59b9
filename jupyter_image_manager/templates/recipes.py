"""What each template brings, pinned for each Python version: the last release that still supports it."""

from __future__ import annotations

from dataclasses import dataclass, field

PYTHONS = ("3.11", "3.10", "3.9", "3.8")

IPYKERNEL = {"3.8": "6.29.5", "3.9": "6.31.0", "3.10": "7.3.0", "3.11": "7.4.0"}

_SCIENTIFIC = {
    "3.8": {
        "numpy": "1.24.4",
        "scipy": "1.10.1",
        "pandas": "2.0.3",
        "matplotlib": "3.7.5",
        "scikit-learn": "1.3.2",
        "ipywidgets": "8.1.5",
    },
    "3.9": {
        "numpy": "2.0.2",
        "scipy": "1.13.1",
        "pandas": "2.3.3",
        "matplotlib": "3.9.4",
        "scikit-learn": "1.6.1",
        "ipywidgets": "8.1.5",
    },
    "3.10": {
        "numpy": "2.2.6",
        "scipy": "1.15.3",
        "pandas": "2.3.3",
        "matplotlib": "3.10.9",
        "scikit-learn": "1.7.2",
        "ipywidgets": "8.1.9",
    },
    "3.11": {
        "numpy": "2.4.6",
        "scipy": "1.17.1",
        "pandas": "3.1.1",
        "matplotlib": "3.11.2",
        "scikit-learn": "1.9.1",
        "ipywidgets": "8.1.9",
    },
}
_NUMPY = {python: {"numpy": pins["numpy"]} for python, pins in _SCIENTIFIC.items()}
_TORCH = {"3.8": "2.4.1", "3.9": "2.8.0", "3.10": "2.14.1", "3.11": "2.14.1"}


@dataclass(frozen=True, slots=True)
class TemplateRecipe:
    """One template, apart from what the user chooses."""

    name: str
    title: str
    description: str
    packages: dict[str, dict[str, str]] = field(default_factory=dict)  # python -> distribution -> version
    apt: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    commands: tuple[str, ...] = ()

    def pins(self, python: str) -> list[str]:
        """Return the exact requirements that the template brings for a Python version."""
        wanted = {"ipykernel": IPYKERNEL[python], **self.packages.get(python, {})}
        return [f"{name}=={version}" for name, version in wanted.items()]


TEMPLATES = {
    recipe.name: recipe
    for recipe in (
        TemplateRecipe("minimal", "Minimal", "Python with a kernel and nothing else."),
        TemplateRecipe(
            "scientific",
            "Scientific",
            "numpy, scipy, pandas, matplotlib, scikit-learn and widgets.",
            packages=_SCIENTIFIC,
        ),
        TemplateRecipe(
            "gpu",
            "GPU",
            "PyTorch with the CUDA libraries, through pip; needs an engine with NVIDIA GPUs to be of use.",
            packages={python: {**_NUMPY[python], "torch": torch} for python, torch in _TORCH.items()},
            # What NVIDIA's container runtime looks at; without it the driver's libraries stay outside.
            env={"NVIDIA_VISIBLE_DEVICES": "all", "NVIDIA_DRIVER_CAPABILITIES": "compute,utility"},
        ),
        TemplateRecipe(
            "r",
            "R beside Python",
            "R with its kernel, from the distribution's packages, beside Python.",
            apt=("r-base-core", "r-cran-irkernel"),
            # Debian's package brings no kernelspec; R may not run before its package is there.
            commands=(
                "mkdir -p /usr/local/share/jupyter/kernels \\\n"
                ' && cp -r "$(Rscript --vanilla -e \'cat(system.file("kernelspec", package = "IRkernel"))\')" '
                "/usr/local/share/jupyter/kernels/ir",
            ),
        ),
    )
}
