"""Files of accounts: the columns and rules that the importer asks for."""
