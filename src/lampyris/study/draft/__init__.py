"""Drafts of a study: from a bare folder or from nothing; allocation, blinding, freezing and unblinding."""
