"""Pure visit planning: problem, solvers, independent checker, roads, exports; sees only geo.types and geo.distance."""
