"""The command line: parse, call the library, print. The only package that prints."""

from ragkit.cli.app import app, main

__all__ = ["app", "main"]
