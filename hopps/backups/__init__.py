"""Backups: made, kept by rule, proved and restored (decisions 0026 and 0027)."""
