"""The ex vivo part of a study: what its sheets name, opened, measured, laid beside the living animals and compared."""
