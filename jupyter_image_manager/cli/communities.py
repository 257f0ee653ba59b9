"""``community``: the registry that a community's images are kept in, and its service agent."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from pathlib import Path
from typing import Any

from ..models import Community
from .context import Context, WrongUsage
from .machine import MARKS

KEYS = {"name": "name", "registry": "registry_host", "namespace": "namespace", "agent": "agent_enabled"}
SWITCH = {"on": True, "off": False}


def register(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the commands to the parser."""
    community = commands.add_parser(
        "community",
        help="the registry in which images are kept, and its service agent",
        description="COMMUNITY is a name or the beginning of an id; without it the project's is meant.",
        epilog="example: jupyter image community set registry=harbor.example.org namespace=team",
    )
    actions = community.add_subparsers(title="actions", metavar="ACTION", required=True, dest="action")

    listing = actions.add_parser("list", parents=[common], help="list the communities")
    listing.set_defaults(run=list_command)

    show = actions.add_parser("show", parents=[common], help="show a community")
    show.add_argument("community", metavar="COMMUNITY", nargs="?")
    show.set_defaults(run=show_command)

    create = actions.add_parser("create", parents=[common], help="make a community")
    create.add_argument("name")
    create.set_defaults(run=create_command)

    settings = actions.add_parser(
        "set",
        parents=[common],
        help="set a community's registry",
        description="Settings: registry (a host), namespace (the path below it), agent (on or off), name. Another "
        "registry makes the service agent's secret go: it was given for the one before.",
    )
    settings.add_argument("words", metavar="[COMMUNITY] KEY=VALUE", nargs="+")
    settings.set_defaults(run=set_command)

    agent = actions.add_parser(
        "agent",
        parents=[common],
        help="give the service agent that pushes and pulls",
        description="The secret is read from standard input, or from a file or a variable: never from the command "
        "line, which others can see.",
        epilog="example: jupyter image community agent --user 'robot$images' < secret.txt",
    )
    agent.add_argument("community", metavar="COMMUNITY", nargs="?")
    agent.add_argument("--user", metavar="USER", help="as whom to sign in")
    source = agent.add_mutually_exclusive_group()
    source.add_argument("--secret-file", metavar="FILE", help="a file that holds the secret")
    source.add_argument("--secret-env", metavar="VARIABLE", help="a variable of the environment that holds it")
    source.add_argument("--secret", nargs="?", const="", help=argparse.SUPPRESS)  # refused in a sentence of its own
    source.add_argument("--remove", action="store_true", help="remove the service agent with its secret")
    agent.set_defaults(run=agent_command)

    test = actions.add_parser("test", parents=[common], help="push, pull and delete a tiny image; name what is missing")
    test.add_argument("community", metavar="COMMUNITY", nargs="?")
    test.set_defaults(run=test_command)

    delete = actions.add_parser("delete", parents=[common], help="forget a community; its registry stays as it is")
    delete.add_argument("community", metavar="COMMUNITY")
    delete.set_defaults(run=delete_command)


def find(context: Context, words: str | None) -> Community:
    """Return the community that a name or the beginning of an id means; without words, the project's or one's own."""
    service, actor = context.manager.communities, context.actor
    if words is None:
        project = context.manager.projects.enclosing(actor, str(context.folder))
        return service.of(project) if project is not None else service.list(actor)[0]
    found = service.list(actor)
    exact = [one for one in found if words in (one.name, one.id)]
    meant = exact or [one for one in found if len(words) >= 6 and one.id.startswith(words)]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise WrongUsage(f"{words!r} means {len(meant)} communities; give more of the id.")
    names = ", ".join(repr(one.name) for one in found)
    raise WrongUsage(f"There is no community {words!r}; there are: {names}.")


def _show(context: Context, community: Community) -> int:
    console = context.console
    if console.as_json:
        console.document(community)
        return 0
    console.say(f"{'community':16} {community.name}" + ("  (personal)" if community.personal else ""))
    console.say(f"{'id':16} {community.id}")
    console.say(f"{'owner':16} {community.owner}")
    console.say(f"{'registry':16} {community.registry_host or 'none: images are kept on this machine only'}")
    if community.namespace:
        console.say(f"{'namespace':16} {community.namespace}")
    if community.registry_host:
        state = "" if community.agent_enabled else "  (off)"
        console.say(f"{'service agent':16} {community.agent + state if community.agent else 'none'}")
    if community.agent_changed and community.agent:
        console.say(f"{'secret given':16} {community.agent_changed:%Y-%m-%d %H:%M} UTC")
    return 0


def list_command(context: Context) -> int:
    """``jupyter image community list``."""
    found = context.manager.communities.list(context.actor)
    if context.console.as_json:
        context.console.document(found)
        return 0
    rows = [
        [one.id[:8], one.name, "/".join(part for part in (one.registry_host, one.namespace) if part) or "—", one.agent]
        for one in found
    ]
    context.console.table(["id", "name", "registry", "service agent"], rows, empty="There are none.")
    return 0


def show_command(context: Context) -> int:
    """``jupyter image community show``."""
    return _show(context, find(context, context.args.community))


def create_command(context: Context) -> int:
    """``jupyter image community create``."""
    return _show(context, context.manager.communities.create(context.actor, context.args.name))


def set_command(context: Context) -> int:
    """``jupyter image community set``."""
    words = list(context.args.words)
    community = find(context, words.pop(0) if "=" not in words[0] else None)
    changes: dict[str, Any] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or key not in KEYS:
            raise WrongUsage(f"{word!r} should be KEY=VALUE with a KEY of: {', '.join(KEYS)}.")
        if key == "agent":
            if value not in SWITCH:
                raise WrongUsage(
                    f"agent is on or off, not {value!r}; its user and secret: `jupyter image community agent`."
                )
            changes[KEYS[key]] = SWITCH[value]
        else:
            changes[KEYS[key]] = value
    if not changes:
        raise WrongUsage("Nothing is to be set; give KEY=VALUE.")
    changed = context.manager.communities.update(context.actor, community.id, **changes)
    if community.agent and not changed.agent:
        context.console.note("The service agent's secret was given for the registry before: give it again.")
    return _show(context, changed)


def agent_command(context: Context) -> int:
    """``jupyter image community agent``."""
    args = context.args
    if args.secret is not None:
        raise WrongUsage(
            "A secret in the words of a command can be seen by others on this machine: give it through standard input, "
            "--secret-file or --secret-env, and replace this one."
        )
    service = context.manager.communities
    community = find(context, args.community)
    if args.remove:
        return _show(context, service.set_agent(context.actor, community.id, "", ""))
    user = args.user or community.agent
    if not user:
        raise WrongUsage("Say as whom to sign in: --user USER.")
    secret = _secret(args, user)
    if not secret:
        raise WrongUsage("The secret is empty; --remove takes the service agent away.")
    return _show(context, service.set_agent(context.actor, community.id, user, secret))


def _secret(args: argparse.Namespace, user: str) -> str:
    """Read the secret from where it was said to be; a line's end after it is no part of it."""
    if args.secret_env:
        if args.secret_env not in os.environ:
            raise WrongUsage(f"The secret should come from ${args.secret_env}, which is not set.")
        return os.environ[args.secret_env]
    try:
        if args.secret_file:
            text = Path(args.secret_file).expanduser().read_text()
        elif sys.stdin.isatty():
            return getpass.getpass(f"Secret of {user}: ")
        else:
            text = sys.stdin.read()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise WrongUsage(f"The secret cannot be read from {args.secret_file or 'standard input'}: {why}.") from None
    return text.removesuffix("\n").removesuffix("\r")


def test_command(context: Context) -> int:
    """``jupyter image community test``."""
    community = find(context, context.args.community)
    findings = context.manager.communities.test(context.actor, community.id)
    console = context.console
    if console.as_json:
        console.document(findings)
    else:
        for finding in findings:
            console.say(f"{MARKS[finding.status]}  {finding.title}: {finding.message}")
            if finding.cure and finding.status != "ok":
                console.say(f"        {finding.cure}")
    return 1 if any(finding.status == "error" or finding.id == "registry" for finding in findings) else 0


def delete_command(context: Context) -> int:
    """``jupyter image community delete``."""
    community = find(context, context.args.community)
    context.manager.communities.delete(context.actor, community.id)
    if context.console.as_json:
        context.console.document({"deleted": community.id})
    else:
        context.console.say(f"The community {community.name!r} is forgotten; its registry is as it was.")
    return 0
