"""Days that are not ordinary: public holidays, closed sites, absent reps; plans read them and say what they close."""
