"""The way that reps really went: recorded by their phones in working hours, where the company lets them."""
