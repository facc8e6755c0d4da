"""The default planning engine: ruin and recreate with annealing, compiled from Python.

`search` is its door; it is imported when the first plan is asked for, because numba takes most of a second to load.
"""
