"""The database engine for MongoDB: MongoDB's own backend, with the keys and the certainty the other databases give.

`ENGINE = "hopps.mongodb"`. What it adds, and why, is decision 0019; `hopps.databases` reads its settings.
"""
