"""A process that takes in the usage stream until it is empty, for tests to kill."""

import os
import sys

import django

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()

    from contextlib import suppress
    from datetime import datetime

    from django.conf import settings

    from gateway.store import connect
    from usage import consumer
    from usage.intake import Busy

    stream, at = connect(settings.GATEWAY.stream_url, timeout_s=5), datetime.fromisoformat(sys.argv[1])
    consumer.BATCH_BYTES = 4_000  # many small batches: more places to die in
    working = True
    print("ready", flush=True)
    while working:
        with suppress(Busy):  # tests start two
            working = consumer.consume(stream, at=at) is not None
