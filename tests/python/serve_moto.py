"""A moto server on a free port of loopback, which it says on standard error.

It ends when its standard input does: whoever started it may be killed, and leaves nothing behind.
"""

import os
import sys
import threading

from moto.server import main


def end_with_the_input():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_the_input, daemon=True).start()
main(["-H", "127.0.0.1", "-p", "0"])
