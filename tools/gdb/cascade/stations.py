"""The stations of <kernel/trace.h>: what the kernel tells of an interrupt on its way, read as it tells it.

Every station of the kernel, in the core, in a controller's driver, in the entry code, ends in
trace_record_at() while tracing is on.  There we stand with the values in registers, the live objects
in memory and the station's own frame above."""

import functools

import gdb

from . import isa, model
from .model import Problem, function, source, struct_at, symbol, text

PC, STATION, IRQ, OBJ, A, B = range(6)          # the arguments of trace_record_at()
RETURNS = ('IRQ_NONE: not mine', 'IRQ_HANDLED', 'IRQ_WAKE_THREAD: the rest in a thread')
WAKE_THREAD = 2
NUMBERED_BY_A = ('ST_CHIP', 'ST_HANDLER', 'ST_THREAD', 'ST_FLOW')
BEGINS = ('ST_TRAP', 'ST_SOFTIRQ')


@functools.lru_cache(None)
def stations():
    """["ST_TRAP", …] in the kernel's order."""
    fields = model.ctype('enum station').fields()
    return [field.name for field in sorted(fields, key=lambda f: f.enumval) if field.name != 'NR_STATIONS']


def rings(cpu):
    """A CPU's struct trace_ring; raises Problem if it has none."""
    pointer = symbol('cpus')[cpu]['trace']
    if not int(pointer):
        raise Problem('cpu %d has no trace ring yet: let the kernel boot further.' % cpu)
    return pointer.dereference()


class Hop:
    """One station that an interrupt passes now."""

    def __init__(self, cpu, values):
        self.cpu = cpu
        self.irq, self.obj, self.a, self.b, self.pc = (values[n] for n in (IRQ, OBJ, A, B, PC))
        self.irq &= 0xffffffff
        self.station = stations()[values[STATION] & 0xff]
        self.slot = int(rings(cpu)['head'])     # where the kernel is about to write it
        self.name = text(symbol('station_table')[values[STATION] & 0xff]['name'])
        self.what = text(symbol('station_table')[values[STATION] & 0xff]['what'])
        self.code = self._code()
        self.text = getattr(self, '_' + self.station[3:].lower())()
        self.document = self._json()       # now: later it may be gone

    @property
    def begins(self):
        return self.station in BEGINS

    @property
    def line(self):
        return model.irq(self.irq)

    def _code(self):
        """The function that it is about."""
        if self.station.startswith('ST_CHAIN'):
            return self.line.handle_irq
        return self.a if self.station in NUMBERED_BY_A else self.pc

    # ---- What happens there, with its values ----

    @property
    def chip(self):
        return text(struct_at(self.obj, 'irq_chip')['name']) if self.obj else '-'

    def _trap(self):
        return '%s, while in %s' % (isa.current().cause(self.a), model.place(self.b))

    def _root(self):
        return '%s: the cause is hwirq %d' % (self.chip, self.a)

    def _claim(self):
        return '%s %s' % (self.chip, 'says %d is pending, and it is claimed now' % self.a if self.a else
                          'has nothing more pending')

    def _lookup(self):
        domain = model.Domain.at(gdb.Value(self.obj).cast(model.ctype('struct irq_domain').pointer()))
        own = [level.hwirq for level in self.line.levels if level.domain == domain]
        return '%s: %s %d -> irq %d %s' % (domain.name, 'hwirq' if self.a in own else 'id', self.a,
                                           self.irq, self.line.title)

    def _chain_enter(self):
        feeds = self.line.feeds
        return 'irq %d feeds %s: ask that one' % (self.irq, feeds.name if feeds else 'another controller')

    def _chain_exit(self):
        return 'irq %d is done' % self.irq

    def _flow(self):
        line = self.line
        if line.setting('PER_CPU_DEVID') or line.setting('PER_CPU'):
            return 'irq %d: no lock, this line is this CPU\'s own' % self.irq
        return 'irq %d: %s, %s, depth %d' % (
            self.irq, 'in progress' if line.irqd_test('IRQ_INPROGRESS') else 'not in progress',
            'masked' if line.irqd_test('IRQ_MASKED') else 'not masked', line.depth)

    def _callback(self):
        """(the level of the line whose chip that is, the callback's name); None if it is of none."""
        for level in self.line.levels:
            if level.chip and level.chip.address == self.obj:
                for name, address in level.chip.callbacks().items():
                    if address == self.a:
                        return level, name
        return None, 'callback'

    def _chip(self):
        level, name = self._callback()
        where = '%s of chip %s' % (name, self.chip)
        return '%s, hwirq %d@%s' % (where, self.b, level.domain.name) if level else where

    def _handler(self):
        names = ['"%s"' % action.name for action in self.line.actions
                 if self.a in (action.handler, action.thread_fn)]
        return '%s, dev_id 0x%x' % (' or '.join(names) or 'an action that is gone', self.b)

    def _handled(self):
        return 'returns %s' % (RETURNS[self.a] if self.a < len(RETURNS) else 'an unknown value')

    def _softirq(self):
        return 'deferred work, pending bits 0x%x' % self.a

    def _wake(self):
        letters = b''.join(word.to_bytes(8, 'little') for word in (self.a, self.b))
        return 'thread "%s" waited for this' % letters.split(b'\0')[0].decode('utf-8', 'replace')

    _thread, _threaded = _handler, _handled

    def _exit(self):
        return 'out of the %s' % ('softirq' if self.a else 'trap')

    # ---- What it must be, by the live structs ----

    @property
    def doubt(self):
        """Why this is no station on the way that the line's own pointers describe; None."""
        if self.station == 'ST_FLOW' and self.a != self.line.handle_irq:
            return 'irq %d has another flow handler' % self.irq
        if self.station == 'ST_CHIP' and self._callback()[0] is None:
            return 'irq %d has no such callback' % self.irq
        if self.station in ('ST_HANDLER', 'ST_THREAD') and 'gone' in self.text:
            return 'irq %d has no such action' % self.irq
        if self.station == 'ST_LOOKUP' and self.obj not in [l.domain.address for l in self.line.levels]:
            return 'irq %d has no level in that domain' % self.irq
        return None

    def _json(self):
        return {'cpu': self.cpu, 'station': self.name, 'irq': self.irq, 'obj': hex(self.obj),
                'a': hex(self.a), 'b': hex(self.b), 'function': function(self.code),
                'source': source(self.code), 'text': self.text, 'doubt': self.doubt}


def event_json(cpu, event):
    return {'cpu': cpu, 'station': text(symbol('station_table')[int(event['station'])]['name']),
            'irq': int(event['irq']), 'obj': hex(int(event['obj'])), 'a': hex(int(event['a'])),
            'b': hex(int(event['b']))}


def recorded(hop, last=None):
    """What the kernel's ring has from HOP to the slot LAST (None: only HOP), without what nests in it."""
    ring, found, nesting = rings(hop.cpu), [], 0
    for slot in range(hop.slot, (hop.slot if last is None else last) + 1):
        event = ring['event'][slot & int(ring['mask'])]
        station = stations()[int(event['station'])]
        nesting += station in BEGINS
        if nesting <= 1 and (last is None or station not in ('ST_THREAD', 'ST_THREADED')):
            found.append(event_json(hop.cpu, event))
        nesting -= station == 'ST_EXIT'
    return found
