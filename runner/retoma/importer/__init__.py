"""From a spreadsheet's CSV file to the audience of a campaign, in one transaction and in flat memory.

`reader` turns bytes into rows, `columns` decides which column means what, `phones` makes E.164 of a cell,
`rejects` keeps the rows that were refused, `load` streams the others into PostgreSQL, and `run` joins them.
"""
