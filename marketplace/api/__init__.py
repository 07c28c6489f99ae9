"""The programs' way in, `/api/v1/`: one file per noun, each with what it takes, gives and shows."""
