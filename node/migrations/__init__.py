"""Schema versions of the node's database, in the order of their numbers."""
