"""The app's own widgets on plain Kivy."""
