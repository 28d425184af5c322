"""Arms compared: tables, sentences and figures of tests, courses, onsets and relations."""
