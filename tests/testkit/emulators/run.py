"""Runs an emulator until its standard input is closed, so that it ends with the process that started it.

Usage: run.py ministack|moto PORT
"""

import os
import signal
import sys
import threading
import time

HOST = "127.0.0.1"


def exit_with_standard_input():
    """Ends this process when standard input is closed."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(2)
    os._exit(0)


def ministack(port):
    # Credentials in the server's environment would replace the secret `test`.
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ.update(
        BIND_HOST=HOST,
        MINISTACK_HOST=HOST,
        GATEWAY_PORT=port,
        AUTH="true",
        LOG_LEVEL="ERROR",
    )
    import ministack.app
    import on_ministack
    from ministack.app import main

    on_ministack.correct(ministack.app)
    sys.argv = ["ministack"]
    main()


def moto(port):
    import logging

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    import on_moto
    from moto.server import main

    on_moto.correct()
    main(["-H", HOST, "-p", port])


if __name__ == "__main__":
    threading.Thread(target=exit_with_standard_input, daemon=True).start()
    {"ministack": ministack, "moto": moto}[sys.argv[1]](sys.argv[2])
