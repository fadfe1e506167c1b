"""Parses the statements of `export athena` with sqlglot, and runs them on DuckDB.

Standard input has the statements, the records of log files and the digests. Standard output has the number of events by
severity, and the rows of each query.
"""

import json
import sys

import duckdb
import sqlglot
from sqlglot import exp

PARTITIONS = ("account", "region", "day")


def parse(statement):
    """Parses one statement. A statement that sqlglot does not understand would become a command."""
    tree = sqlglot.parse_one(statement["sql"], dialect="athena")
    expected = exp.Select if statement["kind"] == "query" else exp.Create
    assert isinstance(tree, expected), f"{statement['name']} is {type(tree).__name__}"
    assert not list(tree.find_all(exp.Command)), statement["name"]
    return tree


def columns(tree):
    return [column.name for column in tree.this.expressions if isinstance(column, exp.ColumnDef)]


def as_text(value):
    """The text that the JSON SerDe returns for a column of type STRING."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)


def insert(database, table, names, rows):
    database.execute(f"CREATE TABLE {table} ({', '.join(f'{name} VARCHAR' for name in (*names, *PARTITIONS))})")
    marks = ", ".join("?" for _ in (*names, *PARTITIONS))
    values = []
    for row in rows:
        fields = {name.lower(): value for name, value in row["fields"].items()}
        values.append([as_text(fields.get(name)) for name in names] + [row[name] for name in PARTITIONS])
    if values:
        database.executemany(f"INSERT INTO {table} VALUES ({marks})", values)


def main():
    request = json.load(sys.stdin)
    trees = {statement["name"]: (statement["kind"], parse(statement)) for statement in request["statements"]}
    database = duckdb.connect()
    queries = {}
    events = None
    for name, (kind, tree) in trees.items():
        if kind == "table":
            rows = request["digests"] if name.endswith("_digests") else request["records"]
            insert(database, name, columns(tree), rows)
            continue
        sql = tree.sql(dialect="duckdb")
        if kind == "view":
            database.execute(sql)
            events = name if name.endswith("_events") else events
        else:
            queries[name] = [list(row) for row in database.execute(sql).fetchall()]
    counts = database.execute(f"SELECT severity, count(*) FROM {events} GROUP BY severity").fetchall()
    json.dump({"severities": dict(counts), "queries": queries}, sys.stdout)


main()
