#!/usr/bin/env python
"""Django's command line for Tollgate; `manage.py up` starts everything."""

import os
import sys
from importlib import import_module

# These only start processes, and must do so before there are settings to load.
BEFORE_DJANGO = {"up": "config.local.up", "gateway": "config.local.gateway"}


def main(argv: list[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if module := BEFORE_DJANGO.get(argv[1] if len(argv) > 1 else ""):
        return int(import_module(module).main(argv[2:]))
    import_module("django.core.management").execute_from_command_line(argv)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
