"""The tables of results: rows, columns, units, and what each column means."""
