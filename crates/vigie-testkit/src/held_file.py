"""Holds a write lease (fcntl(2)) on a file: others that open it wait, for at most /proc/sys/fs/lease-break-time seconds.

Prints "held" when it has the lease, and "awaited" when another process waits. The lease ends with this process.
"""

import fcntl
import os
import signal
import sys
import time

path = sys.argv[1]
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGIO])


def hold():
    file = os.open(path, os.O_RDWR)
    try:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        # The file may have been replaced in between.
        if os.fstat(file).st_ino == os.stat(path).st_ino:
            return True
    except OSError:
        pass  # another process has it open
    os.close(file)
    return False


while not hold():
    time.sleep(0.01)
print("held", flush=True)
signal.sigwait([signal.SIGIO])
print("awaited", flush=True)
signal.pause()
