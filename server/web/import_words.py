"""What the pages of imports call columns without a name of their own, and records by their tables."""

LABELS = {
    "owner_id": "Owner",
    "preferred_rep_id": "Preferred rep",
    "service_s": "Length of a visit",
    "currency": "Currency",
    "lat": "Latitude",
    "pin": "Pin",
    "grade": "Grade of the pin",
}
"""How people call values whose column is called otherwise."""
RESTING = {
    "account": "Accounts",
    "activity": "Activities",
    "attachment": "Files",
    "contact": "Contacts",
    "contact_account": "Contacts",
    "lead": "Leads",
    "note": "Notes",
    "opportunity": "Deals",
    "opportunity_line": "Lines",
    "order_line": "Lines",
    "pin_proposal": "Proposed pins",
    "price_list_use": "Price lists",
    "product": "Products",
    "sales_order": "Orders",
    "ticket": "Tickets",
    "visit": "Visits",
    "visit_demand": "Wanted visits",
}
"""What may hang on a record, by its table."""
