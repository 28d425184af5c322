"""The methods checks: 25 rules that a reviewer would apply, and what the study states of what guidelines ask for."""
