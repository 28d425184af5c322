"""Opens the raw files that a study's sheets name: images of sessions, trays, sections, tables of an ICP-MS."""
