"""The engine's own texts become one sentence that says what to do."""

from __future__ import annotations

import pytest

from jupyter_image_manager import errors
from jupyter_image_manager.engine.translate import meaning, unreachable


@pytest.mark.parametrize(
    ("text", "kind", "word"),
    [
        ("write /x: no space left on device", errors.NoSpaceLeft, "full"),
        ("toomanyrequests: You have reached your pull rate limit. Retry-After: 20", errors.PullLimited, "20 s"),
        (
            "pull access denied for x, repository does not exist or may require 'docker login'",
            errors.ImageNotFound,
            "sign in",
        ),
        ("manifest for python:9 not found: manifest unknown", errors.ImageNotFound, "version"),
        ("unauthorized: authentication required", errors.EngineError, "sign"),
        ("dial tcp: lookup registry-1.docker.io: no such host", errors.RegistryUnavailable, "network"),
        ('could not select device driver "" with capabilities: [[gpu]]', errors.InvalidRequest, "GPU"),
        ("Minimum memory limit allowed is 6MB", errors.InvalidRequest, "memory"),
        ("Range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available", errors.InvalidRequest, "CPUs"),
        ("standard_init_linux.go:228: exec user process caused: exec format error", errors.EngineError, "architecture"),
        ("invalid mount config: bind source path does not exist: /x", errors.EngineError, "folder"),
        ('Conflict. The container name "/x" is already in use', errors.Conflict, "still there"),
        ("conflict: unable to remove repository reference (must force)", errors.Conflict, "in use"),
        ("something new", errors.EngineError, "something new"),
    ],
)
def test_known_texts(text: str, kind: type[Exception], word: str) -> None:
    found = meaning(text, "python:9")
    assert type(found) is kind
    assert word in found.message
    assert "\n" not in found.message


@pytest.mark.parametrize(
    ("error", "kind", "word"),
    [
        (PermissionError(13, "Permission denied"), errors.EngineUnavailable, "group `docker`"),
        (FileNotFoundError(2, "No such file or directory"), errors.EngineUnavailable, "setup"),
        (ConnectionRefusedError(111, "Connection refused"), errors.EngineUnavailable, "start it"),
        (TimeoutError("timed out"), errors.EngineTimeout, "restart"),
        (ConnectionResetError(104, "reset by peer"), errors.EngineUnavailable, "still running"),
    ],
)
def test_an_engine_that_cannot_be_reached(error: OSError, kind: type[Exception], word: str) -> None:
    found = unreachable(error, "unix:///x.sock")
    assert type(found) is kind
    assert word in found.message
    assert found.exit_code == 3
