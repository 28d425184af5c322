"""Command line: parse, call, print, exit code; nothing else."""

from lampyris.cli.command import main

__all__ = ["main"]
