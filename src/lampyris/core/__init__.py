"""The nouns that cross a border between rooms. A closed list: nothing here computes a result."""
