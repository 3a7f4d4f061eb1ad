"""From a spreadsheet's CSV file to the audience of a campaign, in one transaction and in flat memory.

`decoding` turns bytes into text (`kinds` names what is no CSV, `guess` finds its encoding), and `reader`
text into rows. `columns` decides which column means what, and `parts` which of them make one number.
`cells` cleans the cell of a phone, `phones` makes E.164 of it, and `blanks` knows what means nothing.
`rejects` keeps the rows that were refused, `load` streams the others into PostgreSQL, and `run` joins
them all.
"""
