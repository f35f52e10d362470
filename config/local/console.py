"""The few lines a person sees."""

import sys


def say(text: str) -> None:
    """Print one line; a console that has gone away does not matter."""
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except OSError:
        return


def fail(text: str) -> int:
    """Print why nothing runs; return the exit status."""
    sys.stdout.flush()
    sys.stderr.write(f"Tollgate: {text}\n")
    return 1
