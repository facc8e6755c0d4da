"""Quotes, orders and credit notes: lines, totals, states, documents, and what the order history feeds."""
