"""irq stuck: interrupts that began and do not end, or wait where nothing takes them."""

import gdb

from . import Command, command
from .. import chips, go, isa, model
from ..model import Problem
from .lines import explain_depth


def frames_of(thread):
    """[(function, address of its struct irq_desc, or 0)] innermost first."""
    thread.switch()
    found, frame = [], gdb.newest_frame()
    while frame is not None and len(found) < 64:
        try:
            desc = frame.read_var('desc')
            address = 0 if desc.is_optimized_out else int(desc)
        except (ValueError, gdb.error):
            address = 0
        found.append((frame.name(), address))
        try:
            frame = frame.older()
        except gdb.error:
            break
    return found


def stacks():
    """{cpu: frames_of() what it runs} of all CPUs in the kernel."""
    selected, found = gdb.selected_thread(), {}
    try:
        for thread in gdb.selected_inferior().threads():
            cpu = model.Cpu.of_thread(isa.current(), thread)
            if cpu:
                found[cpu.id] = frames_of(thread)
    finally:
        selected.switch()
    return found


def holders(line, known):
    """(CPUs that have the line in hand with the innermost function, those that spin for its lock)."""
    having, waiting = [], []
    for cpu, frames in known.items():
        names = [name for name, address in frames if address == line.address]
        spins = bool(frames) and frames[0][0] == 'spin_lock_contended'
        if names:
            now = ', now ' + frames[0][0] if frames[0][0] not in (None, names[0]) else ''
            (waiting if spins else having).append('cpu %d in %s%s' % (cpu, names[0], now))
    return having, waiting


def claimed(level):
    """Whether the controller holds a claim of that line; "by cpu 0", '', or None if it has none."""
    found = chips.of(level)
    if isinstance(found, chips.Plic):
        cpu = found.claimed_by()
        return None if cpu is None else ' by cpu %d' % cpu
    if isinstance(found, chips.GicWires) and level.hwirq >= found.FIRST_SPI and found.active():
        return ''
    return None


def unfinished(line, known):
    """Handling that began and has not ended: (what, text)."""
    handled, oneshot = line.irqd_test('IRQ_INPROGRESS'), int(line.value['threads_oneshot'])
    for level in line.levels:
        by = claimed(level)
        if by is not None and not handled and not oneshot:
            yield 'claimed', '%s of %s is claimed%s and not completed, and no handler of it runs' % (
                chips.of(level).where(), level.domain.name, by)
    if handled:
        having, _ = holders(line, known)
        yield 'in progress', ', '.join(having) if having else 'but no CPU runs it: it never ended'
    if oneshot:
        names = ['"%s"' % action.thread for action in line.actions if action.thread]
        yield 'in progress', 'masked until its thread %s has finished' % ' or '.join(names)


def waiting(line):
    """Pending where it is not let through, and not only until its handler or thread is done."""
    if line.irqd_test('IRQ_INPROGRESS') or int(line.value['threads_oneshot']):
        return
    for level in line.levels:
        found = chips.of(level)
        if found and found.pending() and found.enabled() is False:
            yield 'pending', '%s of %s is pending and not enabled%s' % (
                found.where(), level.domain.name, ': ' + explain_depth(line) if line.depth else
                ', though the line is enabled')


def locked(line, known):
    having, spinning = holders(line, known)
    if line.locked:
        yield 'locked', 'its descriptor\'s lock is held: %s%s' % (
            ', '.join(having) or 'no CPU has it in hand', '; waiting: ' + ', '.join(spinning) if spinning else '')


@command
class Stuck(Command):
    """What does not end, and which CPU has it in hand.
irq stuck [--after S] [--json]

Lines that are claimed and not completed, pending and not enabled, in progress, or whose descriptor is
locked.

--after S: lets the kernel run for S seconds in between; only what was there before and has not moved
since is told."""

    name = 'stuck'

    def arguments(self, parser):
        parser.add_argument('--after', type=float, default=0)

    @staticmethod
    def _look():
        """{(irq, what): (text, counts)}"""
        known, found = stacks(), {}
        for line in model.irqs(True):
            for what, text in (*unfinished(line, known), *waiting(line), *locked(line, known)):
                found.setdefault((line.irq, what), (text, line.counts))
        return found

    def collect(self, args):
        if args.after < 0:
            raise Problem('irq stuck: --after takes a number of seconds.')
        now = self._look()
        if args.after and now:
            before = now
            with go.Patience(args.after) as patience:
                patience.go()
            if not patience.over:
                raise Problem('irq stuck: the kernel stopped elsewhere before that time.')
            after = self._look()
            now = {key: after[key] for key in before if key in after and after[key][1] == before[key][1]}
        return [{'irq': irq, 'title': model.irq(irq).title, 'what': what, 'value': text}
                for (irq, what), (text, _) in sorted(now.items())]

    def show(self, document):
        for one in document:
            yield 'irq %d %s: %s: %s' % (one['irq'], one['title'], one['what'], one['value'])
        if not document:
            yield 'nothing is stuck'
