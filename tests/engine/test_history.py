"""Which digest is which instruction's, for builders that make layers of nothing and instructions that make none."""

from __future__ import annotations

from jupyter_image_manager.engine.history import EMPTY, with_digests
from jupyter_image_manager.models import Layer


def digests(*history: tuple[str, int], layers: tuple[str, ...]) -> list[str]:
    return [layer.digest for layer in with_digests([Layer(*each) for each in history], layers)]


def test_instructions_without_bytes_make_no_layer() -> None:
    nothing = ("/bin/sh -c #(nop)  ENV A=1", 0)
    assert digests(("", 10), nothing, ("RUN x", 5), layers=("sha256:1", "sha256:2")) == ["sha256:1", "", "sha256:2"]


def test_an_empty_archive_is_no_layer_with_bytes() -> None:
    found = digests(("", 10), ("RUN true # buildkit", 0), ("RUN x", 5), layers=("sha256:1", EMPTY, "sha256:2"))
    assert found == ["sha256:1", "", "sha256:2"]


def test_a_folder_is_a_layer_without_bytes() -> None:
    history = [("", 10), ("/bin/sh -c #(nop) WORKDIR /new", 0), ("/bin/sh -c #(nop)  USER jupyter", 0)]
    history += [("/bin/sh -c mkdir /x", 0), ("COPY f /f # buildkit", 3)]
    layers = ("sha256:1", "sha256:2", "sha256:3", "sha256:4")
    assert digests(*history, layers=layers) == ["sha256:1", "sha256:2", "", "sha256:3", "sha256:4"]


def test_what_is_not_sure_is_not_said() -> None:
    assert digests(("", 10), ("RUN x", 5), layers=("sha256:1", "sha256:2", "sha256:3")) == ["", ""]
