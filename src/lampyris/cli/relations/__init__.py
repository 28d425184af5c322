"""Verbs ``correlate`` and ``agree``: which columns, and their answers in words, tables and figures."""
