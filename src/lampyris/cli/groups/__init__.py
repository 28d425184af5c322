"""Verb ``compare``: which columns, which kind of comparison, and its answer in words, tables and figures."""
