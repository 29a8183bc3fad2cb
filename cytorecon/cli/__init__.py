"""The ``cytorecon`` command: its subcommands, each loaded only when it is used.

Exit codes: 0 done; 1 done, but some samples failed; 2 usage; 3 an input is invalid;
4 done, but a result awaits review; 5 stored data fail an integrity check.
When several apply, the first of 2, 3, 5, 1, 4 stands. 70 is a fault of cytorecon itself.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from importlib import import_module

import click

from cytorecon import __version__
from cytorecon.errors import CytoreconError, IntegrityError

# Name -> (module in this package, one line of help): `--help` imports none of them.
COMMANDS: dict[str, tuple[str, str]] = {
    "inspect": ("inspect", "Channels, keywords and findings of an FCS file; contents of a study."),
    "check": ("check", "Is the template sound, and which channel is each marker in each file?"),
    "gate": ("gate", "Gate one file and print its counts."),
    "convert": ("convert", "A template from one format into another."),
    "run": ("run", "Gate every file of a sample sheet into a study."),
    "mrd": ("mrd", "What two numbers say about residual leukaemia."),
    "eligibility": ("eligibility", "May this patient enter the trial, or have this infusion?"),
    "dose": ("dose", "NK-cell dose and T-cell burden of a product; doses of a graft."),
    "escalate": ("escalate", "The 3+3 decision that a cohort leads to."),
    "donor": ("donor", "KIR-ligand mismatch of possible donors."),
    "reconstitution": ("reconstitution", "Cells per µL over time, endpoints reached, a cohort's quartiles."),
    "trial": ("trial", "Every objective of the trial, from a study and a table of outcomes."),
    "export": ("export", "The counts of a study as one long CSV table; final gates as Gating-ML."),
    "history": ("history", "Who recorded what in a study, when and why."),
    "diff": ("diff", "Counts and clinical calls that another version of a template changes."),
    "ingest": ("ingest", "Counts that someone else made, into a study."),
    "supersede": ("supersede", "Withdraw a result of a study, or let an older one stand again."),
    "patient": ("patient", "Rename, merge or forget a patient of a study."),
    "simulate": ("simulate", "Write a simulated cohort with known truth."),
    "demo": ("demo", "The main job on a simulated cohort, against its known truth."),
}

SOME_FAILED = 1
INVALID_INPUT = 3
AWAITS_REVIEW = 4
INTEGRITY = 5
FAULT = 70
BROKEN_PIPE = 141  # 128 + SIGPIPE, as shells count


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"{__name__}.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cytorecon")
def cytorecon() -> None:
    """Flow-cytometry runs into answers about immune reconstitution and residual leukaemia.

    Research use only. Commands that print a result take --json and then print one JSON document on
    standard output and nothing else there; messages and progress go to standard error.
    """


def _status() -> int:
    """Run the command line; its exit code, where nothing is wrong."""
    try:
        status = cytorecon.main(standalone_mode=False) or 0
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except SystemExit:  # how click answers a closed pipe, with 1
        return BROKEN_PIPE
    return int(status)


def main() -> None:
    """Run the command line; an error that a person can mend is one message and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without UTF-8 shows escapes rather than fail
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(_status())
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except CytoreconError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(INTEGRITY if isinstance(error, IntegrityError) else INVALID_INPUT)
    except OSError as error:  # a file that cannot be written, a full disk
        click.echo(f"error: {error.filename or 'a file'}: {error.strerror or error}", err=True)
        sys.exit(INVALID_INPUT)
    except Exception:  # Python would exit with 1, which here says that some samples failed
        traceback.print_exc()
        click.echo("error: this is a fault of cytorecon itself; please report it with the lines above", err=True)
        sys.exit(FAULT)
