"""What was bought, and money on its ways out.

Most code needs `quote.make_quote`, `purchase.buy` and `views.view_order`; `order_round` is one round of one order, as
the contract and its logs have it in one block.
"""
