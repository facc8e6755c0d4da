"""Address to point and back, without a network: normalise, parse, match, grade."""
