"""The company's night: everybody's next days planned by territory, put into the calendar and written as files."""
