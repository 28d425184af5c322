"""The page's sections: each takes what a run stored and gives what its template shows."""
