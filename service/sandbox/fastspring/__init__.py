"""FastSpring, played: what its two generations of session API have in common."""
