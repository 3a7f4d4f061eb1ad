"""Cells that hold nothing, whatever stands in them."""

# White space is what str.strip removes anyway; the others take no room on a screen either.
INVISIBLE = (
    "".join(map(chr, [*range(9, 14), *range(28, 33), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200C)]))
    + "\u2028\u2029\u202f\u205f\u2060\u2800\u3000\u3164\ufeff"
)

# What programs write for "no value" (the na_values of pandas.read_csv, and SQL's \N).
# Null and Na are names of people.
_OF_PROGRAMS = (
    "NA N/A n/a n/d N/D <NA> NaN nan -NaN -nan NULL null <null> None <none> nil undefined NaT \\N (null)"
)
# The errors of a formula, in the languages of spreadsheets.
_OF_SPREADSHEETS = (
    "#N/D #N/A #NA #NV #VALUE! #VALOR! #VALEUR! #VALORE! #WERT! #¡VALOR! #REF! #¡REF! #RIF! #BEZUG! "
    "#NAME? #NOME? #NOM? #¿NOMBRE? #NUM! #NÚM! #NOMBRE! #¡NUM! #ZAHL! #DIV/0! #¡DIV/0! "
    "#NULL! #NULO! #NUL! #¡NULO! #SPILL! #CALC! #ERROR! #ERRO! #GETTING_DATA"
)
NOTHING = frozenset([*_OF_PROGRAMS.split(), *_OF_SPREADSHEETS.split(), "-", "--", "\u2013", "\u2014"])
"""Texts that mean that a cell is blank."""
