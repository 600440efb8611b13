"""Lets `python -m ragkit` do what `ragkit` does."""

from ragkit.cli import main

if __name__ == "__main__":
    main()
