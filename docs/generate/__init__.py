"""Reference pages made from the code: `python -m docs.generate` writes them to docs/reference, where Sphinx finds them.

    words         Markdown: tables, and prose of docstrings that is text and never markup
    models        tables of what a pydantic model takes: keys, types, units, bounds, defaults
    commands      the command line, from the typer app
    bench_file    tables and keys of a bench file, and of every driver
    catalogue     the requirement files: their keys, and every row as it stands
    profiles      profile and vehicle files
    journal       every document a journal may hold
    interface     what a procedure speaks to: fixtures, roles, metrology

Here is only how the code is told. What a key means stands in its docstring; a page nobody can generate is no reference.
"""
