"""Benchmarks: Heqiao and its peers, measured in one run on one machine. The method is in README.md.

This module imports nothing, because the peers' environments load it too.
"""
