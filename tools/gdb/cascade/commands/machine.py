"""irq type: the guest's keyboard, as gdb has the terminal.  Also: `run', which cannot work."""

import os

import gdb

from . import Command, command
from ..model import Problem, attached


@command
class Type(Command):
    """Types a line at the guest's prompt.
irq type LINE…

It is read when the kernel goes on.  Needs a machine that `make debug' started."""

    name = 'type'
    stopped = False

    def arguments(self, parser):
        parser.add_argument('words', nargs='+')

    def invoke(self, line, from_tty):
        """As it stands: what looks like an option is the guest's."""
        self.dont_repeat()
        keyboard = os.environ.get('CASCADE_KEYBOARD')
        if not keyboard:
            raise Problem('There is no keyboard: `make debug\' makes one.')
        if not line.strip():
            raise Problem('irq type: what line?')
        with open(keyboard, 'wb', buffering=0) as pipe:
            pipe.write(line.encode() + b'\r')


class Run(gdb.Command):
    """The kernel is started already: `continue' lets it go on."""

    def __init__(self):
        super().__init__('run', gdb.COMMAND_RUNNING)

    def invoke(self, line, from_tty):
        attached()
        raise Problem('The machine is on already: `continue\' lets it go on; to boot it again, leave '
                      'gdb and `make debug\'.')


Run()
