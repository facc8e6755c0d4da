"""The daily export: every rep's planned day as files, in a folder per day and rep."""
