"""Which process owns a thing, and whether it lives."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

from jupyter_image_manager.processes import ProcessIdentity


def test_this_process_lives_and_its_text_reads_back() -> None:
    me = ProcessIdentity.current()
    assert me.alive() is True
    assert ProcessIdentity.parse(str(me)) == me


def test_a_dead_process_is_dead_also_while_it_is_a_zombie() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = ProcessIdentity.of(child.pid)
    assert identity.alive() is True
    child.kill()
    while identity.alive():  # the kernel needs a moment to deliver the signal
        pass
    assert identity.alive() is False, "a zombie does no work any more"
    child.wait()
    child.stdin.close()
    assert identity.alive() is False


def test_a_reused_pid_is_another_process() -> None:
    assert replace(ProcessIdentity.current(), start="1").alive() is False


def test_what_cannot_be_seen_from_here_is_unknown_not_dead() -> None:
    me = ProcessIdentity.current()
    assert replace(me, host="elsewhere").alive() is None
    assert replace(me, namespace="pid:[1]").alive() is None


def test_an_earlier_boot_is_dead() -> None:
    assert replace(ProcessIdentity.current(), boot="an-earlier-one").alive() is False


def test_other_text_is_no_identity() -> None:
    assert ProcessIdentity.parse("") is None
    assert ProcessIdentity.parse("a|b|c|notapid|e") is None
