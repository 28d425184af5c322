"""How two measurements relate: lines, correlation, agreement, decisions against a truth, and equivalence."""
