"""The review desk: what waits for a person, and the pages on which people decide."""
