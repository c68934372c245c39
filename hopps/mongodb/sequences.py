"""Integer keys, counted up by table as other databases do: a collection holds the last one that was given out."""

from typing import Any

from pymongo import DESCENDING, ReturnDocument
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

# One document a table: {"_id": table, "last": number}. A backup may hold it or not: it is made again from the rows.
COLLECTION = "hopps_sequences"


def next_numbers(database: Database[Any], *, table: str, column: str, count: int) -> range:
    """Give out `count` numbers of `table` that nobody was given before, and nobody will be again.

    Numbers of rows that are never written are lost, as on other databases.
    """
    counters = database[COLLECTION]
    while True:
        # No upsert: a counter that starts at nothing would give out what rows already have.
        counter = counters.find_one_and_update(
            {"_id": table}, {"$inc": {"last": count}}, return_document=ReturnDocument.AFTER
        )
        if counter is not None:
            return range(counter["last"] - count + 1, counter["last"] + 1)
        newest = database[table].find_one({column: {"$type": "number"}}, {column: 1}, sort=[(column, DESCENDING)])
        taken(database, table=table, number=int(newest[column]) if newest else 0)


def taken(database: Database[Any], *, table: str, number: int) -> None:
    """Never give out `number` of `table`, nor one below it: a row that brings its own key has it."""
    counters = database[COLLECTION]
    while True:
        try:
            counters.update_one({"_id": table}, {"$max": {"last": number}}, upsert=True)
        except DuplicateKeyError:  # another process made the counter at the same moment
            continue
        return


def rename(database: Database[Any], *, old: str, new: str) -> None:
    """A table has another name."""
    counter = database[COLLECTION].find_one_and_delete({"_id": old})
    if counter is not None:
        taken(database, table=new, number=counter["last"])


def forget(database: Database[Any], *, table: str) -> None:
    """A table is gone."""
    database[COLLECTION].delete_one({"_id": table})
