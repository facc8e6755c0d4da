"""What phones hand over beside what they push, what was refused of them, and who decides about it."""
