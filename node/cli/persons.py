"""Who runs a command: `heqiao --as ACCOUNT`, with password and second factor, where [users] are required."""

import sys

import click

from node.acting import in_name_of
from node.cli.node_link import OWN_WORK, ask_code, ask_password, named_account
from node.clock import utc_now
from node.config import Config
from node.context import open_node
from node.domain.rights import command_roles
from node.domain.users import ROLE_NAMES, Person, Role
from node.errors import InputError, RefusedError
from node.governance import own_work
from node.governance.accounts import People
from node.governance.sign_in import prove_again


def people_of(config: Config) -> People:
    """The accounts of a home. Raises as `open_node`."""
    node = open_node(config)
    return People(node.store, node.keys.vault, node.keys.digest_key, config.users)


def require_person(config: Config) -> None:
    """Where the command needs a role, ask who runs it; audit events then name the person.

    Raises InputError without `--as`, SignInError, RefusedError for other roles and for a person who has
    something to do first.
    """
    context = click.get_current_context()
    roles = command_roles(context.command_path.partition(" ")[2])
    if roles is None:
        return
    if (context.find_root().obj or {}).get(OWN_WORK):
        context.with_resource(in_name_of(require_own_work(config, context), "", ""))
        return
    person = sign_in_here(config, context)
    if not person.roles & roles:
        names = " or ".join(ROLE_NAMES[role][1] for role in Role if role in roles)
        raise RefusedError(f"your roles do not permit this: {names} may", "", {"rule": "right"})
    context.with_resource(in_name_of(person.account, " ".join(sorted(person.roles)), person.unit))


def require_own_work(config: Config, context: click.Context) -> str:
    """Name of the node's own work, where it shows on standard input that it started this command.

    Raises RefusedError.
    """
    given = (context.params[one.name] for one in context.command.params if isinstance(one, click.Argument))
    command = " ".join([context.command_path.partition(" ")[2], *map(str, given)])
    ticket = sys.stdin.readline(own_work.LONGEST)
    people = people_of(config)
    return own_work.check_ticket(people.store, people.digest_key, ticket, command)


def sign_in_here(config: Config, context: click.Context) -> Person:
    """Who runs the command, by password and second factor. Raises InputError, SignInError, RefusedError."""
    account, file = named_account(context)
    if not account:
        raise InputError(
            "this home wants to know who runs the command", "name your account: `heqiao --as ACCOUNT ...`"
        )
    password = ask_password(file)
    person = prove_again(people_of(config), account, password, ask_code(), utc_now())
    if person.need is not None:
        raise RefusedError(
            "your account is not ready",
            "run `heqiao users enrol`, or sign in at the console: it says what is missing",
            {"rule": "need"},
        )
    return person
