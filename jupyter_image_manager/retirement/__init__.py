"""Retirements: administrators' rules after which old images stop working unless migrated (R60)."""
