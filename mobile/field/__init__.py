"""The phone's logic without a screen: standard library only, Python 3.12 to 3.14."""
