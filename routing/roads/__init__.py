"""Travel times, legs and drive-time areas, whoever computes them."""
