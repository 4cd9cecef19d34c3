"""The node that a province runs: store, servers, import, verification, command line."""
