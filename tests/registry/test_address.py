"""What people type as host and namespace of a registry."""

from __future__ import annotations

import pytest

from jupyter_image_manager.errors import InvalidRequest
from jupyter_image_manager.registry import address


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("harbor.example.org", "harbor.example.org"),
        ("  Harbor.Example.org:8443 ", "harbor.example.org:8443"),
        ("localhost", "localhost"),
        ("localhost:5000", "localhost:5000"),
        ("registry:5000", "registry:5000"),
        ("127.0.0.1:5000", "127.0.0.1:5000"),
        ("[::1]:5000", "[::1]:5000"),
        ("index.docker.io", "docker.io"),
        ("hub.docker.com", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_a_host_is_kept_as_references_name_it(typed: str, host: str) -> None:
    assert address.check_host(typed) == host


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("https://harbor.example.org", "is an address"),
        ("oci://harbor.example.org", "is an address"),
        ("harbor.example.org/team", "has a path"),
        ("harbor", "Docker Hub"),
        ("harbor.example.org:0", "is no host"),
        ("harbor.example.org:70000", "is no host"),
        ("harbor.example.org:", "is no host"),
        ("harbor.example.org:port", "is no host"),
        ("-harbor.example.org", "is no host"),
        ("harbor..example.org", "is no host"),
        ("har bor.example.org", "is no host"),
        ("harbor.example.org\nX-Evil: 1", "is no host"),
        ("harbor.example.org\0", "is no host"),
        ("пример.example", "is no host"),
        ("[::1", "is no host"),
        ("[12345::]:5000", "no address"),
        ("a" * 300 + ".example.org", "is no host"),
        ("--help", "is no host"),
        ("$(id).example.org", "is no host"),
    ],
)
def test_nonsense_is_no_host(typed: str, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as raised:
        address.check_host(typed)
    assert len(raised.value.message) < 400
    assert "\n" not in raised.value.message


def test_a_password_in_a_host_is_not_repeated() -> None:
    with pytest.raises(InvalidRequest, match="service agent") as raised:
        address.check_host("robot:hush-hush@harbor.example.org")
    assert "hush" not in raised.value.message


@pytest.mark.parametrize(
    ("typed", "namespace"),
    [
        ("team", "team"),
        ("/team/", "team"),
        ("group/project", "group/project"),
        ("a.b_c-d/e__f", "a.b_c-d/e__f"),
        ("", ""),
    ],
)
def test_a_namespace_is_a_path(typed: str, namespace: str) -> None:
    assert address.check_namespace(typed) == namespace


@pytest.mark.parametrize(
    ("typed", "better"),
    [
        ("Team", "team"),
        ("my team", "my-team"),
        ("a//b", "a/b"),
        ("../etc", "etc"),
        ("team:1", "team-1"),
        ("team@sha256", "team-sha256"),
        ("команда", "team"),
        ("a\nb", "a-b"),
        ("-a", "a"),
        ("x" * 400, "x" * 160),
    ],
)
def test_nonsense_is_no_namespace_and_what_would_do_is_said(typed: str, better: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        address.check_namespace(typed)
    assert raised.value.details["suggestion"] == better
    assert address.check_namespace(better) == better


@pytest.mark.parametrize(
    ("host", "is_it"),
    [
        ("127.0.0.1:5000", True),
        ("localhost", True),
        ("[::1]:5000", True),
        ("127.9.9.9", True),
        ("localhost.example.org", False),
        ("10.0.0.1", False),
        ("registry:5000", False),
        ("127.0.0.1.nip.io", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, is_it: bool) -> None:
    assert address.is_loopback(host) is is_it
