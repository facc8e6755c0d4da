"""Everything a person sees in a browser: pages, templates and the files they load."""
