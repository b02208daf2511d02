"""Lets the kernel go on, for a while: breakpoints that look instead of stopping, and patience.

    with Watch(address, look): …        look(arguments) at that function's first instruction; True stops
    with Patience(10) as patience:      patience.go(), until something stops the kernel, or .over;
        …                               patience.renew() whenever something has happened
"""

import os
import threading

import gdb

from . import isa, model
from .model import Problem


def arguments(count):
    """The first arguments of the function that the selected CPU is about to begin."""
    frame, name = gdb.newest_frame(), isa.current().argument
    return [int(frame.read_register(name % n)) & (1 << 64) - 1 for n in range(count)]


class Watch(gdb.Breakpoint):
    """At the very first instruction of a function; LOOK is called there and says whether to stop."""

    def __init__(self, address, look, count=6):
        super().__init__('*%d' % address, internal=True)
        self.silent = True
        self._address, self._look, self._count = address, look, count
        self.failed = None

    def stop(self):
        try:
            return bool(self._look(arguments(self._count)))
        except (gdb.error, Problem) as error:   # an exception here would be lost
            self.failed = error
            return True

    def here(self):
        """Whether the kernel has stopped for this, and for nothing else."""
        return not self.failed and gdb.newest_frame().pc() == self._address

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.delete()


class Patience:
    """Interrupts the kernel when for SECONDS nothing has renewed it.  MISSING is what there was none
    of: on a terminal that is told while it waits."""

    TELL = 5                    # each so many seconds

    def __init__(self, seconds, missing=None):
        self.seconds = seconds
        self.over = False
        self._missing = missing if os.isatty(1) else None
        self._renewed, self._done = threading.Event(), threading.Event()
        self._running = False
        self._thread = threading.Thread(target=self._wait, daemon=True)

    def _wait(self):
        waited = 0
        while not self._done.is_set():
            step = min(self.TELL, self.seconds - waited)
            if self._renewed.wait(step):
                self._renewed.clear()
                waited = 0
            elif self._running and waited + step < self.seconds:
                waited += step
                self._tell(waited)      # here: what is printed in gdb's thread may swallow a Ctrl-C
            elif self._running:
                gdb.post_event(self._interrupt)

    def _tell(self, waited):
        if self._missing and self._running:     # gdb.write() would be part of what `continue' says
            os.write(1, b'   no %s for %g s, of %g; Ctrl-C gives up\n'
                     % (self._missing.encode(), waited, self.seconds))

    def _interrupt(self):
        thread = gdb.selected_thread()
        if self._running and not self._renewed.is_set() and thread and thread.is_running():
            self.over = True
            gdb.execute('interrupt', to_string=True)

    def renew(self):
        self._renewed.set()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._done.set()
        self._renewed.set()
        self._thread.join()

    def go(self):
        """Until somebody stops the kernel, or nothing happens any more."""
        self.renew()
        self._running = True
        try:
            gdb.execute('continue', to_string=True)
        finally:
            self._running = False
        if not gdb.selected_inferior().pid or gdb.selected_thread() is None:
            raise Problem('The kernel has gone: it was powered off.')


def caller():
    """The frame that is returned to, not what only jumped here."""
    frame = gdb.newest_frame().older()
    while frame.type() == gdb.TAILCALL_FRAME:
        frame = frame.older()
    return frame


def finish():
    """Out of the function whose first instruction we stand at, without the other CPUs."""
    with Watch(caller().pc(), lambda values: True, 0):
        gdb.execute('set scheduler-locking on')
        try:
            gdb.execute('continue', to_string=True)
        finally:
            gdb.execute('set scheduler-locking off')


def write(value, number):
    """Stores into a variable of the kernel."""
    gdb.selected_inferior().write_memory(int(value.address), number.to_bytes(value.type.sizeof, 'little'))


class Tracing:
    """Inside, the CPUs record their stations, as after `trace on'; afterwards as before."""

    def __enter__(self):
        flags = [model.symbol('cpus')[cpu]['trace_on'] for cpu in model.possible_cpus()]
        self._were = [(flag, bool(flag)) for flag in flags]
        for flag in flags:
            write(flag, 1)
        return self

    def __exit__(self, *exception):
        for flag, was in self._were:
            write(flag, was)
