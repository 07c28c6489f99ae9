"""`python -m marketplace.local` is `manage.py up` inside an environment that is already made."""

import sys

from marketplace.local.up import main

sys.exit(main(sys.argv[1:]))
