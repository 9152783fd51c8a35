"""`python -m imbclf`."""

import sys

from imbclf.cli import main

sys.exit(main())
