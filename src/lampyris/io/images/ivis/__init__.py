"""IVIS and Living Image: clicks, sequences of them, and their texts, read and written."""
