"""What the agents of the bench of the pages are called, and what they do."""

# What agents are called: enough words that a search finds few, and that some are alike.
PERSON = "bench@example.org"  # who looks at the pages
FIRST = [
    "Amber",
    "Birch",
    "Cedar",
    "Delta",
    "Ember",
    "Falcon",
    "Granite",
    "Harbour",
    "Indigo",
    "Juniper",
    "Kestrel",
    "Larch",
]
SECOND = [
    "Parser",
    "Reader",
    "Sorter",
    "Writer",
    "Ranker",
    "Checker",
    "Tagger",
    "Finder",
    "Planner",
    "Matcher",
]
WORKS = ["tickets", "invoices", "contracts", "claims", "receipts", "letters", "orders", "reviews"]
