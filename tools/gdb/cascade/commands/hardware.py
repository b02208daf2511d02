"""irq chip, irq peek, irq inject: the controllers' registers, looked at and, on request, changed."""

import argparse

from . import Command, command, number
from .. import chips, hw, model
from ..model import Problem, function
from .who import nobody


def width(word):
    """An argument: the bytes of one access."""
    if word not in ('1', '2', '4', '8'):
        raise argparse.ArgumentTypeError('%s is not 1, 2, 4 or 8 bytes' % word)
    return int(word)


@command
class Chip(Command):
    """The controllers' registers, decoded.
irq chip [NAME] [--json]

None with a side effect is read.  Without NAME: all controllers of this machine."""

    name = 'chip'

    def arguments(self, parser):
        parser.add_argument('name', nargs='?')

    def collect(self, args):
        if args.name:
            return {'chip': args.name, 'lines': chips.describe(args.name)}
        return {'chip': None, 'lines': [line for cls in chips.controllers() for line in cls.describe()]}

    def show(self, document):
        return document['lines']


@command
class Peek(Command):
    """A device register at a physical address.
irq peek ADDRESS [--size 1|2|4|8] [--really] [--json]

Registers that change when they are read are refused without --really."""

    name = 'peek'

    def arguments(self, parser):
        parser.add_argument('address', type=number)
        parser.add_argument('--size', type=width, default=4)
        parser.add_argument('--really', action='store_true')

    def collect(self, args):
        return {'address': hex(args.address), 'value': hw.read(args.address, args.size, args.really)}

    def show(self, document):
        yield '%s: 0x%x' % (document['address'], document['value'])


@command
class Inject(Command):
    """Makes a line pending as its device would.
irq inject N [--json]

By a message, or the controller's set-pending register.  It comes when the kernel goes on."""

    name = 'inject'

    def arguments(self, parser):
        parser.add_argument('irq', type=number)

    @staticmethod
    def _plan(line):
        """By the innermost controller that can: what it takes is what really arrives."""
        found = [chips.of(level) for level in line.levels]
        known = [one for one in found if one]
        for one in known:
            try:
                return one.inject()
            except Problem as problem:
                why = problem
        if not known:
            raise Problem('irq %d comes from software (%s); nothing outside can make it pending.'
                          % (line.irq, line.levels[0].domain.name if line.levels else 'no domain'))
        raise why

    def collect(self, args):
        line = model.irq(args.irq)
        does, stores = self._plan(line)
        answer = {'irq': line.irq, 'title': line.title, 'does': does, 'nobody': nobody(line),
                  'first': [function(action.handler) for action in line.actions],
                  'cpus': line.effective}
        for address, value, size in stores:
            hw.write(address, value, size)
        return answer

    def show(self, answer):
        yield 'irq %d %s: %s' % (answer['irq'], answer['title'], answer['does'])
        if answer['nobody']:
            yield '  nobody will handle it: ' + answer['nobody']
        else:
            yield '  when the kernel goes on, %s runs on cpu %s' % (
                ', '.join(answer['first']), model.ranges(answer['cpus']) or '(any)')
