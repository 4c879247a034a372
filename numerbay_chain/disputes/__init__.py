"""What can be done about a round that is not as promised, and each step of it.

Most code needs `views.show_dispute` and `recourse.RECOURSE`. How a dispute stands is said in `advice`, what its buyer
can do in `remedies`; what would win is found in `judge` before anybody hears of it.
"""
