"""What the company sells: catalogue, stock hints, taxes, price lists and the one function that tells a price."""
