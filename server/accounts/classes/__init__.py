"""The class of an account as value and potential suggest it: the company's rule, nightly suggestions, decisions."""
