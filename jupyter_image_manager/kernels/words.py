"""From the kernelspec that a client asked for to the words with which the image's kernel is started."""

from __future__ import annotations

from ..errors import KernelStartError
from .runtime import ImageFacts


def kernel_words(
    kernel_name: str, language: str, argv: list[str], report: ImageFacts, image: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the Python kernel's further arguments, and the whole argv of another language's kernel.

    Raises
    ------
    KernelStartError
        The image has no such kernel.
    """
    spec = report.kernelspecs.get(kernel_name)
    if spec is not None and str(spec.get("language", "python")).lower() != "python":
        return (), tuple(str(word) for word in spec.get("argv", ()))
    if language.lower() != "python":
        has = ", ".join(sorted(report.kernelspecs)) or "only Python's"
        raise KernelStartError(
            f"The image {image} has no kernel {kernel_name!r} (it has: {has}); "
            "add it to the image, or choose another kernel for the notebook."
        )
    words = [word for word in argv[1:] if word not in ("-Xfrozen_modules=off", "-m", "ipykernel_launcher", "ipykernel")]
    kept = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word == "-f":
            skip = True
        elif "{connection_file}" not in word and word.startswith("--"):
            kept.append(word)
    return tuple(kept), ()
