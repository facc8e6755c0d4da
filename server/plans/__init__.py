"""Plans: visit demand made into routes of reps, and these into stops, explanations and exports."""
