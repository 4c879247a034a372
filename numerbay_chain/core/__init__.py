"""What every part needs and nothing of the marketplace is in.

Most code needs `errors` (each error has an exit code and a code for programs) and `units` (amounts, durations, sizes).
"""
