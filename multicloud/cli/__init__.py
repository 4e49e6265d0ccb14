"""WHO asks: the command line. It only calls ``multicloud.project`` and prints what comes back.

Data goes to standard output, everything else to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage,
definition or configuration. A command's module is imported when the command runs: ``--help`` must not wait for it.
"""

from __future__ import annotations

import errno
from importlib import import_module

import click

COMMANDS = {
    "init": "Write a new project that runs.",
    "run": "Serve the API on this machine.",
    "invoke": "Send one request to the API, in this process.",
    "routes": "List the routes of the API.",
    "openapi": "Print the API's OpenAPI document.",
    "explain": "Show how each feature of the API is realised, and what refuses it.",
    "bundle": "Write the zip of each function, as its cloud wants it.",
    "providers": "List the installed providers.",
}
"""Each command with the first line of its help; its module in this package has its name and defines ``command``."""


class Failure(click.ClickException):
    """An error of the SDK as click prints it: one message on standard error, no traceback."""

    exit_code = 1


class WrongInput(Failure):
    """The same where the user's input is at fault."""

    exit_code = 2


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order a project meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"multicloud.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant; one that does not exist is answered with the nearest."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = [f" Did you mean {name!r}?" for name in get_close_matches(args[0], COMMANDS, n=1)]
            raise click.UsageError(error.message + "".join(near), ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; the SDK's errors and the system's become one message."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            failure = _failure(error)
            if failure is None:
                raise
            raise failure from error


def _failure(error: Exception) -> Failure | None:
    """Return an error that is no bug of ours as click prints it; None for any other."""
    from multicloud.errors import MulticloudError, UsageError

    if isinstance(error, UsageError):
        return WrongInput(str(error))
    if isinstance(error, MulticloudError):
        return Failure(str(error))
    if isinstance(error, OSError) and error.errno != errno.EPIPE:  # click ends quietly when the reader has left
        return Failure(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    return None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="multicloud", message="%(prog)s %(version)s")
def cli() -> None:
    """Define a serverless HTTP API once; run it on AWS, Google Cloud, Azure or your own machine."""


def main() -> None:
    """Run the command line and exit."""
    cli(prog_name="multicloud")
