"""Verb of the design of an experiment: power."""

from lampyris.cli.arguments import AddVerb


def add_verbs(verb: AddVerb, /) -> None:
    """Add this module's verbs."""
