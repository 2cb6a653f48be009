"""The command line: `outage-notify`. Each command parses, calls one service, and renders.

Exit status: 0 done; 1 the answer is no (doctor, verify); 2 refused, or used wrongly; 3 a
defect of the program; 130 interrupted. Results go to standard output (with --json: JSON and
nothing else), everything else to standard error. Commands are loaded when called, so
that a broken or missing part never stops another one.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from outage_notify.cli.groups import LazyGroup
from outage_notify.cli.output import say, show_error

COMMANDS = {
    "import": "outage_notify.cli.imports:import_group",
    "resolve": "outage_notify.cli.resolve:resolve",
    "find": "outage_notify.cli.find:find",
    "outage": "outage_notify.cli.outages:outage",
    "protect": "outage_notify.cli.protect:protect",
    "explain": "outage_notify.cli.outage_questions:explain",
    "receipts": "outage_notify.cli.receipts:receipts",
    "audit": "outage_notify.cli.audit:audit",
    "letters": "outage_notify.cli.letters:letters",
    "send-test": "outage_notify.cli.checks:send_test",
    "doctor": "outage_notify.cli.checks:doctor",
    "migrate": "outage_notify.cli.setup:migrate",
    "user": "outage_notify.cli.setup:user",
    "token": "outage_notify.cli.tokens:token",
    "webhook": "outage_notify.cli.webhooks:webhook",
    "keys": "outage_notify.cli.setup:keys",
    "serve": "outage_notify.cli.serve:serve",
    "web": "outage_notify.cli.serve:web",
    "worker": "outage_notify.cli.processes:worker",
    "beat": "outage_notify.cli.processes:beat",
    "reconcile": "outage_notify.cli.reconcile:reconcile",
    "demo": "outage_notify.demo.command:demo",
    "simulator": "outage_notify.cli.processes:simulator",
}

DEFECT = 3
INTERRUPTED = 130


@click.group(
    cls=LazyGroup,
    commands_at=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--traceback", "show_traceback", is_flag=True, help="Show where in the program an error arose.")
@click.version_option(package_name="outage-notify", prog_name="outage-notify")
def cli(show_traceback: bool) -> None:
    """Planned power outages: find everybody affected, tell them in time, prove it.

    Settings are environment variables, OUTAGE_NOTIFY_*; `outage-notify doctor` says what is missing.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        result: Any = cli.main(args=arguments, prog_name="outage-notify", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("Interrupted.")
        return INTERRUPTED
    except click.ClickException as error:
        error.show(sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read our output has seen enough. What is buffered must not complain again at exit.
        sys.stdout = None
        return 0
    except Exception as error:
        status = show_error(error)
        if "--traceback" in arguments:
            traceback.print_exception(error, file=sys.stderr)
        elif status is None:
            say(f"Unexpected: {type(error).__name__}: {error}")
            say("This is a defect of the program; `outage-notify --traceback ...` shows where.")
        return DEFECT if status is None else status


__all__ = ["cli", "main"]
