"""The bench of a study: files of bench.csv to the numbers of each probe and lot."""
