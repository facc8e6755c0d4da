"""Reports: how well customers are covered, plans kept and hours used, by person, team, territory and class."""
