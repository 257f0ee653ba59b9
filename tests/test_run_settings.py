"""Run settings as people write them; each that cannot be is refused with its reason."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_image_manager.errors import InvalidRequest
from jupyter_image_manager.models import GpuRequest, Mount, RunSettings, as_json
from jupyter_image_manager.run_settings import KEYS, parse, parse_size

NONE = RunSettings()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8g", 8 << 30),
        ("8G", 8 << 30),
        ("512MB", 512 << 20),
        ("1.5GiB", 3 << 29),
        ("2t", 2 << 40),
        ("100k", 100 << 10),
        (1024, 1024),
        ("1024", 1024),
        (" 1 g ", 1 << 30),
        ("7b", 7),
        (None, None),
        ("", None),
    ],
)
def test_sizes(text: Any, size: int | None) -> None:
    assert parse_size(text, "memory") == size


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"memory": "lots"}, "memory should be a size such as 8g"),
        ({"memory": "-1g"}, "memory should be a size"),
        ({"memory": "8x"}, "memory should be a size"),
        ({"memory": True}, "memory should be a size"),
        ({"memory": ["8g"]}, "memory should be a size"),
        ({"memory": float("nan")}, "memory should be a size"),
        ({"memory": float("inf")}, "memory should be a size"),
        ({"memory": "9" * 30}, "more than any machine"),
        ({"shm_size": "much"}, "shm_size should be a size"),
        ({"cpus": -1}, "cpus should be a number above 0"),
        ({"cpus": 0}, "cpus should be a number above 0"),
        ({"cpus": "many"}, "cpus should be a number above 0"),
        ({"cpus": "nan"}, "cpus should be a number above 0"),
        ({"cpus": True}, "cpus should be a number above 0"),
        ({"processes": 1.5}, "processes should be a whole number"),
        ({"gpus": "-1"}, "gpus should be none, all"),
        ({"gpus": {"kind": "some"}}, "gpus should be none, all"),
        ({"gpus": {"kind": "count", "count": -1}}, "gpus should be none, all"),
        ({"environment": {"1A": "x"}}, "no name of an environment variable"),
        ({"environment": {"A=B": "x"}}, "no name of an environment variable"),
        ({"environment": {"A": 1}}, "should have a text"),
        ({"environment": {"A": "x\0"}}, "should have a text"),
        ({"environment": ["A=1"]}, "names with values"),
        ({"secrets": {"TOKEN": "hunter2"}}, "should be a reference"),
        ({"secrets": {"TOKEN": "vault:x"}}, "should be a reference"),
        ({"secrets": {"TOKEN": "env:"}}, "should be a reference"),
        ({"network": "host; rm"}, "network should be"),
        ({"network": 5}, "network should be"),
        ({"mounts": "/data"}, "should be a list"),
        ({"mounts": [{"source": "data", "target": "/data"}]}, "absolute source and target"),
        ({"mounts": [{"source": "/data"}]}, "absolute source and target"),
        ({"mounts": [{"source": "/data", "target": "/data", "read_only": "no"}]}, "true or false"),
        ({"mounts": [{"source": "/data", "target": "/data", "mode": "rw"}]}, "A mount is"),
        ({"privileged": True}, "no run setting 'privileged'"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_with_its_reason(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as caught:
        parse(settings, NONE)
    assert "hunter2" not in caught.value.message


def test_settings_are_read_and_the_others_stay() -> None:
    before = RunSettings(cpus=1.0, environment={"A": "1"})
    found = parse(
        {
            "memory": "8g",
            "processes": "500",
            "gpus": "optional:2",
            "secrets": {"T": "file:/run/secret"},
            "network": "none",
            "mounts": [{"source": "/data", "target": "/data"}],
        },
        before,
    )
    assert found == RunSettings(
        memory=8 << 30,
        cpus=1.0,
        processes=500,
        gpus=GpuRequest("count", 2, (), True),
        environment={"A": "1"},
        secrets={"T": "file:/run/secret"},
        network="none",
        mounts=(Mount("/data", "/data", True),),
    )
    assert parse(dict.fromkeys(KEYS), found) == NONE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("none", GpuRequest()),
        ("all", GpuRequest("all")),
        (0, GpuRequest()),
        (2, GpuRequest("count", 2)),
        ("0,1", GpuRequest("ids", 0, ("0", "1"))),
        ("GPU-8a1b", GpuRequest("ids", 0, ("GPU-8a1b",))),
        ("optional:all", GpuRequest("all", optional=True)),
    ],
)
def test_gpus(text: Any, expected: GpuRequest) -> None:
    assert parse({"gpus": text}, NONE).gpus == expected


def test_json_of_settings_is_read_back() -> None:
    settings = RunSettings(memory=1 << 30, gpus=GpuRequest("ids", 0, ("0",)), mounts=(Mount("/a", "/b", False),))
    assert parse(as_json(settings), NONE) == settings


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(KEYS)), ANYTHING, max_size=4))
def test_whatever_json_comes_is_read_or_refused(settings: dict[str, Any]) -> None:
    try:
        found = parse(settings, NONE)
    except InvalidRequest:
        return
    assert parse(as_json(found), NONE) == found
