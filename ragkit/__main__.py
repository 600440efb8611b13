"""Starts the command line: `ragkit` and `python -m ragkit`."""

import sys


def main() -> None:
    """Runs the command line; Ctrl-C while it is still being loaded ends it quietly, too."""
    try:
        from ragkit.cli import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
