"""What images hold, where, for how long and at what price (R25)."""
