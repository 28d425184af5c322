"""Formats both ways: sheets, images, tables, and the durable store. No science."""
