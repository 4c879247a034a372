"""Files on this machine.

Most code needs `atomic` (a file is written whole or not at all) and `journal` (small JSON entries that outlive a
crash). `textfile` and `jsontext` read what others wrote, within bounds; `locks` keeps processes apart.
"""
