"""What is for sale.

Most code needs `terms.build_terms` and `views.view_listing`; what terms mean, in sentences, is in `words`.
"""
