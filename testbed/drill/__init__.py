"""`make drill`: every key of three nodes is changed, and one node lost, while provinces ask each other."""
