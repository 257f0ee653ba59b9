"""``build``, ``import``, ``log``, ``cancel``, ``retry``, ``check`` and ``templates``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..models import Build, BuildRequest, Project, Storage
from .context import Context, WrongUsage
from .following import finish, follow_check, show_report

if TYPE_CHECKING:
    from collections.abc import Iterable


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    _register_build(commands, common)
    _register_import(commands, common)

    log = commands.add_parser(
        "log",
        parents=[common],
        help="show a build's log",
        description="Show the log of an image's last build, from its first line on; follow it while it runs.",
        epilog="example: jupyter image log scientific --search ERROR",
    )
    log.add_argument("image", metavar="IMAGE", help="NAME, NAME:VERSION, or the id of an image or build")
    log.add_argument("--no-follow", action="store_true", help="stop at the present end of a running build's log")
    log.add_argument("--search", metavar="TEXT", help="only lines that contain TEXT, whatever its case")
    log.add_argument("--from-line", type=int, default=1, metavar="N", help="begin at line N")
    log.add_argument("--lines", type=int, metavar="COUNT", help="at most COUNT lines")
    log.set_defaults(run=log_command)

    cancel = commands.add_parser("cancel", parents=[common], help="cancel a queued or running build, or a pull")
    cancel.add_argument("image", metavar="IMAGE", help="image, build or pull")
    cancel.set_defaults(run=cancel_command)

    retry = commands.add_parser(
        "retry",
        parents=[common],
        help="build a failed, cancelled or interrupted image again, or push one that was not pushed",
    )
    retry.add_argument("image", metavar="IMAGE", help="image or build")
    _add_secret(retry)
    _add_follow(retry)
    retry.set_defaults(run=retry_command)

    check = commands.add_parser(
        "check",
        parents=[common],
        help="check that an image can run kernels",
        description="Run the image and say, item by item, what it has and what it lacks, with the lines that add it.",
    )
    check.add_argument("image", metavar="IMAGE")
    check.add_argument("--fix", action="store_true", help="append what is missing and build the next version")
    _add_follow(check)
    check.set_defaults(run=check_command)

    templates = commands.add_parser("templates", parents=[common], help="list the ready-made Dockerfiles")
    templates.set_defaults(run=templates_command)


def _add_secret(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="id=NAME,src=FILE",
        help="a build secret from a file, or id=NAME,env=VARIABLE; never stored",
    )


def _add_follow(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--detach", action="store_true", help="do not wait; the build goes on by itself")


def _register_build(commands: Any, common: argparse.ArgumentParser) -> None:
    build = commands.add_parser(
        "build",
        parents=[common],
        help="build an image",
        description="Build an image from a Dockerfile, a template or another image's recipe; check it; keep it.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="""examples:
  jupyter image build geo                               # from ./Dockerfile
  jupyter image build sci --template scientific --python 3.11 -r requirements.txt --activate
  jupyter image build geo -f Dockerfile --secret id=token,src=token.txt --detach
  jupyter image build sci --add polars --activate       # the next version of sci, with one package more""",
    )
    build.add_argument("name", metavar="NAME", help="name of the image; its version is counted up")
    source = build.add_mutually_exclusive_group()
    source.add_argument(
        "-f", "--file", metavar="DOCKERFILE", help="the Dockerfile (default: Dockerfile of the project)"
    )
    source.add_argument("--template", metavar="T", help="a ready-made Dockerfile, see `jupyter image templates`")
    source.add_argument("--from", "--from-image", dest="from_image", metavar="IMAGE", help="the recipe of an image")
    build.add_argument(
        "--add",
        action="append",
        default=[],
        metavar="PACKAGE",
        help="a Python package that the recipe of --from (default: the newest image of this name) gets beside its own",
    )
    build.add_argument("--python", metavar="X.Y", help="with --template: Python version")
    build.add_argument("-r", "--requirements", metavar="FILE", help="with --template: requirements.txt")
    build.add_argument("--apt", action="append", default=[], metavar="PKG", help="with --template: a system package")
    build.add_argument("--env", action="append", default=[], metavar="K=V", help="with --template: a variable")
    build.add_argument(
        "--copy", action="append", default=[], metavar="FILE[:TARGET]", help="with --template: a file of the project"
    )
    build.add_argument("--context", metavar="DIR", help="folder that is sent (default: the project folder)")
    build.add_argument(
        "--storage", choices=[s.value for s in Storage], help="where it is kept; default: the registry, if there is one"
    )
    build.add_argument("--build-arg", action="append", default=[], metavar="K=V", help="a build argument")
    _add_secret(build)
    build.add_argument("--description", default="", help="a sentence for people")
    build.add_argument("--activate", action="store_true", help="activate the image when it is ready")
    build.add_argument("--fix", action="store_true", help="append missing requirements by itself")
    build.add_argument("--no-cache", action="store_true", help="run every instruction again")
    build.add_argument("--yes", action="store_true", help="send a context above the limit without asking")
    _add_follow(build)
    build.set_defaults(run=build_command)


def _register_import(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser(
        "import",
        parents=[common],
        help="take in an existing image",
        description="Take in an image by reference (pulled and pinned by digest) or from an archive; check it.",
        epilog="example: jupyter image import base quay.io/jupyter/minimal-notebook:latest",
    )
    parser.add_argument("name", metavar="NAME")
    parser.add_argument(
        "source", metavar="REFERENCE|ARCHIVE", help="an image reference, or a .tar of docker save or OCI"
    )
    parser.add_argument(
        "--storage", choices=[s.value for s in Storage], help="where it is kept; default: the registry, if there is one"
    )
    parser.add_argument("--description", default="")
    parser.add_argument("--activate", action="store_true")
    parser.add_argument("--fix", action="store_true", help="append missing requirements by itself")
    _add_follow(parser)
    parser.set_defaults(run=import_command)


def _pairs(option: str, words: Iterable[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not key or (not sign and key not in os.environ):
            raise WrongUsage(f"{option} wants NAME=VALUE, not {word!r}.")
        pairs[key] = value if sign else os.environ[key]
    return pairs


def read_secrets(words: Iterable[str]) -> dict[str, bytes]:
    """Read build secrets given as ``id=NAME,src=FILE`` or ``id=NAME,env=VARIABLE``."""
    secrets: dict[str, bytes] = {}
    for word in words:
        fields = dict(part.partition("=")[::2] for part in word.split(","))
        name, source, variable = (
            fields.get("id"),
            fields.get("src") or fields.get("source"),
            fields.get("env"),
        )
        if not name or bool(source) == bool(variable):
            raise WrongUsage(f"--secret wants id=NAME,src=FILE or id=NAME,env=VARIABLE, not {word!r}.")
        if source:
            try:
                secrets[name] = Path(source).expanduser().read_bytes()
            except OSError as error:
                raise WrongUsage(f"The secret {name!r} cannot be read from {source}: {error.strerror}.") from None
        elif variable is not None:
            if variable not in os.environ:
                raise WrongUsage(f"The secret {name!r} should come from ${variable}, which is not set.")
            secrets[name] = os.environb[variable.encode()]
    return secrets


def _relative(path: str, root: str, what: str) -> str:
    absolute = Path(path).expanduser().resolve()
    try:
        return str(absolute.relative_to(Path(root).resolve()))
    except ValueError:
        raise WrongUsage(f"The {what} {path} lies outside the project {root}.") from None


def _template(args: argparse.Namespace) -> dict[str, Any] | None:
    if args.template is None:
        for option, given in (
            ("--python", args.python),
            ("-r", args.requirements),
            ("--apt", args.apt),
            ("--env", args.env),
            ("--copy", args.copy),
        ):
            if given:
                raise WrongUsage(f"{option} belongs to --template; name one, see `jupyter image templates`.")
        return None
    choices: dict[str, Any] = {"name": args.template}
    if args.python:
        choices["python"] = args.python
    if args.requirements:
        try:
            choices["requirements"] = Path(args.requirements).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise WrongUsage(f"{args.requirements} cannot be read: {error}.") from None
    if args.apt:
        choices["apt"] = list(args.apt)
    if args.env:
        choices["env"] = _pairs("--env", args.env)
    if args.copy:
        choices["files"] = list(args.copy)
    return choices


def build_command(context: Context) -> int:
    """``jupyter image build``."""
    with context.project_or_new() as project:
        build = context.manager.builds.submit(context.actor, project.id, request_from(context, project))
    return finish(context, build)


def request_from(context: Context, project: Project) -> BuildRequest:
    """Return what the words of ``build`` ask for."""
    args = context.args
    template = _template(args)
    if args.add and (args.file or args.template):
        raise WrongUsage("--add adds to an image's recipe: name the image with --from, or leave -f and --template out.")
    recipe_of = args.from_image or (args.name if args.add else None)
    return BuildRequest(
        name=args.name,
        dockerfile_path=_relative(args.file, project.path, "Dockerfile") if args.file else None,
        template=template,
        from_image=context.image(recipe_of, project).image.id if recipe_of else None,
        add_packages=tuple(args.add),
        context=_relative(args.context, project.path, "context") if args.context else None,
        build_args=_pairs("--build-arg", args.build_arg),
        secrets=read_secrets(args.secret),
        storage=Storage(args.storage) if args.storage else None,
        description=args.description,
        activate=args.activate,
        fix=args.fix,
        confirm_context=args.yes,
        no_cache=args.no_cache,
    )


def import_command(context: Context) -> int:
    """``jupyter image import``."""
    args = context.args
    archive = Path(args.source).expanduser()
    is_archive = archive.is_file()
    request = BuildRequest(
        name=args.name,
        archive=str(archive.resolve()) if is_archive else None,
        reference=None if is_archive else args.source,
        storage=Storage(args.storage) if args.storage else None,
        description=args.description,
        activate=args.activate,
        fix=args.fix,
    )
    with context.project_or_new() as project:
        build = context.manager.builds.submit(context.actor, project.id, request)
    return finish(context, build)


def find_build(context: Context, text: str) -> Build:
    """Return the build that an image's name, an image's id or a build's id means."""
    manager = context.manager
    for build in manager.builds.list(context.actor, active=True):
        if build.id == text:
            return build
    project = context.project()
    running = [
        build
        for build in manager.builds.list(context.actor, project.id, active=True)
        if text in (spec := manager.images.get(context.actor, build.image_id).image.spec, spec.partition(":")[0])
    ]
    if running:
        return running[0]
    from ..errors import ImageNotFound

    try:
        image = manager.images.find(context.actor, project.id, text)
    except ImageNotFound:
        # `find` by bare name means a ready version; a log is wanted most of those that failed.
        named = [
            summary
            for summary in manager.images.list(context.actor, project.id)
            if text in (summary.image.name, summary.image.spec)
        ]
        if not named:
            return manager.builds.get(context.actor, text)
        image = named[0]
    if ":" not in text:
        newest = [s for s in manager.images.list(context.actor, project.id) if s.image.name == text]
        image = max(newest, key=lambda s: s.image.version, default=image)
    if image.image.last_build_id is None:
        raise WrongUsage(f"{image.image.spec} was not built here: it has no log.")
    return manager.builds.get(context.actor, image.image.last_build_id)


def log_command(context: Context) -> int:
    """``jupyter image log``."""
    args, console, builds = context.args, context.console, context.manager.builds
    build = find_build(context, args.image)
    if args.search or args.lines is not None or args.no_follow or build.done:
        lines: Any = builds.log(context.actor, build.id, start=args.from_line, count=args.lines, search=args.search)
    else:
        lines = builds.follow(context.actor, build.id, after=args.from_line - 1)
    for line in lines:
        if console.as_json:
            console.line_document(line)
        else:
            console.say(line.text)
    return 0


def cancel_command(context: Context) -> int:
    """``jupyter image cancel``."""
    from .pulling import cancelled

    pull = cancelled(context, context.args.image)
    if pull is not None:
        if context.console.as_json:
            context.console.document(pull.as_json())
        else:
            context.console.say(f"The pull of {context.args.image} is being cancelled.")
        return 0
    build = context.manager.builds.cancel(context.actor, find_build(context, context.args.image).id)
    if context.console.as_json:
        context.console.document(build)
    else:
        context.console.say(
            f"The build of {context.args.image} is {build.state.value if build.done else 'being cancelled'}."
        )
    return 0


def retry_command(context: Context) -> int:
    """``jupyter image retry``."""
    secrets = read_secrets(context.args.secret)
    build = find_build(context, context.args.image)
    return finish(context, context.manager.builds.retry(context.actor, build.id, secrets=secrets or None))


def check_command(context: Context) -> int:
    """``jupyter image check``."""
    image = context.image(context.args.image)
    check = context.manager.builds.check(context.actor, image.image.id)
    if context.args.detach:
        if context.console.as_json:
            context.console.document(check)
        else:
            context.console.say(f"{image.image.spec} is being checked; follow it with `jupyter image log {check.id}`.")
        return 0
    report = follow_check(context, check)
    if not report.ok and context.args.fix:
        return finish(context, context.manager.builds.fix(context.actor, image.image.id))
    if context.console.as_json:
        context.console.document(report)
    else:
        show_report(context, report)
        context.console.say(
            f"{image.image.spec} can run kernels."
            if report.ok
            else f"{image.image.spec} lacks what a kernel needs; `jupyter image check --fix` appends it."
        )
    return 0 if report.ok else 1


def templates_command(context: Context) -> int:
    """``jupyter image templates``."""
    templates = context.manager.builds.templates()
    if context.console.as_json:
        context.console.document(templates)
    else:
        context.console.table(
            ["name", "what it is for"],
            [[t["name"], t.get("description") or t.get("title", "")] for t in templates],
            empty="There are no templates.",
        )
    return 0
