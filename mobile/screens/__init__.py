"""The app's screens: dumb, small, built anew from what the store says."""
