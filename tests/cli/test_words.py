"""The words of the command line: parsing, refusing, printing. Nothing here needs an engine."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from jupyter_image_manager.cli import builds
from jupyter_image_manager.cli.context import WrongUsage
from jupyter_image_manager.cli.main import build_parser, run, split_overrides
from jupyter_image_manager.cli.output import Console, ago, duration, harmless, size
from jupyter_image_manager.cli.projects import _parse_settings
from jupyter_image_manager.models import utcnow


def test_traits_are_separated_from_the_commands_own_words() -> None:
    own, overrides = split_overrides(
        ["build", "x", "--ImageManager.data_dir=/d", "--build-arg", "K=V", "--", "--Class.trait=1"]
    )
    assert own == ["build", "x", "--build-arg", "K=V", "--", "--Class.trait=1"]
    assert overrides == ["--ImageManager.data_dir=/d"]


@pytest.mark.parametrize(
    "words",
    [["nonsense"], ["build"], ["build", "x", "-f", "D", "--template", "t"], ["list", "--state", "odd"], ["--bogus"]],
)
def test_wrong_words_end_with_two_and_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run(words)
    assert stop.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "--help" in said.err


def test_no_words_show_help_and_end_with_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "jupyter image build" in capsys.readouterr().out


def test_every_command_has_help_for_people() -> None:
    parser = build_parser()
    commands = next(a for a in parser._actions if a.dest == "command")
    helped = {choice.dest for choice in commands._choices_actions}
    assert helped == set(commands.choices)


@pytest.mark.parametrize("word", ["nothing", "id=a", "src=/x", "id=a,src=/x,env=Y", "id=a,src=/does/not/exist"])
def test_secrets_that_cannot_be_read_are_refused(word: str) -> None:
    with pytest.raises(WrongUsage):
        builds.read_secrets([word])


def test_secrets_come_from_files_and_variables(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_bytes(b"from file\n")
    monkeypatch.setenv("TOKEN_OF_TEST", "from variable")
    assert builds.read_secrets([f"id=a,src={tmp_path / 'token'}", "id=b,env=TOKEN_OF_TEST"]) == {
        "a": b"from file\n",
        "b": b"from variable",
    }


def test_settings_are_nested_by_a_dot_and_emptied_by_an_empty_value() -> None:
    assert _parse_settings(["memory=8g", "environment.A=1", "environment.B="]) == {
        "memory": "8g",
        "environment": {"A": "1", "B": None},
    }
    with pytest.raises(WrongUsage):
        _parse_settings(["memory"])


def test_numbers_read_as_people_write_them() -> None:
    assert [size(n) for n in (None, 0, 999, 1500, 23_000_000, 1_234_567_890)] == [
        "—",
        "—",
        "999 B",
        "1.5 kB",
        "23 MB",
        "1.2 GB",
    ]
    assert [duration(s) for s in (None, 5, 65, 3723)] == ["—", "0:05", "1:05", "1:02:03"]
    assert ago(utcnow() - timedelta(days=3)) == "3 days ago"
    assert ago(utcnow() - timedelta(minutes=2)) == "2 minutes ago"


def test_control_sequences_cannot_reach_the_terminal() -> None:
    assert harmless("\x1b]0;owned\x07a\tb") == "\\x1b]0;owned\\x07a\tb"
    out = io.StringIO()
    Console(out=out).table(["name"], [["\x1b[2Jgone"]], empty="")
    assert "\x1b" not in out.getvalue()


def test_json_mode_keeps_stdout_for_json() -> None:
    out, err = io.StringIO(), io.StringIO()
    console = Console(as_json=True, out=out, err=err)
    console.say("for people")
    console.document({"a": 1})
    assert out.getvalue() == '{\n  "a": 1\n}\n'


def test_what_is_added_to_a_recipe_needs_one() -> None:
    from types import SimpleNamespace
    from typing import Any

    asked = []
    project: Any = SimpleNamespace(path="/")

    def request(*words: str) -> Any:
        image = SimpleNamespace(image=SimpleNamespace(id="1"))
        args = build_parser().parse_args(["build", *words])
        context: Any = SimpleNamespace(args=args, image=lambda text, _: asked.append(text) or image)
        return builds.request_from(context, project)

    assert request("sci", "--add", "polars", "--add", "six").add_packages == ("polars", "six")
    assert request("sci", "--from", "base:2", "--add", "polars").from_image == "1"
    assert asked == ["sci", "base:2"]
    with pytest.raises(WrongUsage, match="--add"):
        request("sci", "-f", "Dockerfile", "--add", "polars")
