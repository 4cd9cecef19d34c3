"""The node that a province runs: database, servers, imports, verifications, sums, command line."""
