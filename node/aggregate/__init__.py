"""Private intersection-sum between two nodes, round by round (design.md section 5)."""
