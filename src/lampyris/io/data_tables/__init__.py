"""Any table of a user's own: columns with a header, read without being told their meaning.

`lampyris.io.sheets` reads the study's sheets, whose columns are known beforehand; here the caller asks for a column by name.
A file per kind of source: text, workbooks, Prism projects, Parquet; `table` holds what they all become.
"""

from lampyris.io.data_tables.reading import read_table
from lampyris.io.data_tables.table import DataTable
from lampyris.io.data_tables.wide import long_form

__all__ = ["DataTable", "long_form", "read_table"]
