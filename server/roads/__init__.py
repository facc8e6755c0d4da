"""Roads: which graph answers for which region, and the road processes that serve the graphs on this machine."""
