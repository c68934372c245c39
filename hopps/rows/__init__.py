"""All rows of a database, whatever kind it is: read in one order, written as the same text, copied from one to another."""
