"""The company's own fields of every object, pick lists, visit types and their forms, and templates of trades."""
