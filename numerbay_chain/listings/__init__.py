"""Listings: their terms, descriptions and vouchers."""
