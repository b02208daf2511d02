"""irq walk: one interrupt from the vector to the end of its handlers, station by station."""

import itertools
import os
import select

import gdb

from . import Command, command, number
from .. import chips, doctor, go, isa, model, stations
from ..model import Problem

STORY = {
    'ST_TRAP': 'The CPU has turned its interrupts off, put aside where it was and jumped to the vector. '
               'entry.S has saved\nthe registers as a struct pt_regs: `print *$trap_regs()\'.',
    'ST_ROOT': 'There is one root controller; the number that it gives the interrupt is a hwirq of its '
               'domain, not an irq.',
    'ST_CLAIM': 'The read that tells which interrupt is pending takes it away too. That is why gdb must '
                'not read there.',
    'ST_LOOKUP': 'From the controller\'s number to the kernel\'s: the domain\'s reverse map, one load '
                 'from an array.',
    'ST_CHAIN_ENTER': 'This line has no driver but another controller behind it: its flow handler asks '
                      'that one, and the path\nbegins again at a claim.',
    'ST_CHAIN_EXIT': 'Back to the outer controller\'s line.',
    'ST_FLOW': 'What must be done around the handlers depends on how the line signals: `irq show N\' '
               'has its flow.',
    'ST_CHIP': 'The flow handler knows no controller; it calls the irq_chip of the line\'s first level, '
               'which does what\nits hardware wants, or asks the next level.',
    'ST_HANDLER': 'The driver at last: what request_irq() was given, with its dev_id.',
    'ST_HANDLED': 'On a shared line every handler is asked; IRQ_NONE from all of them, often enough, '
                  'and the core\nturns the line off.',
    'ST_SOFTIRQ': 'On the way out, with interrupts on again: what handlers have left to do.',
    'ST_WAKE': 'Somebody slept until this: it runs when the scheduler lets it, not now.',
    'ST_THREAD': 'The second half of the handler. It may sleep, and its line may be masked meanwhile '
                 '(oneshot).',
    'ST_THREADED': 'A oneshot line is unmasked now.',
    'ST_EXIT': 'entry.S loads the registers again, and what was interrupted never knows.',
}
STORY_PROMPT = '   [Enter: on  b: backtrace  l: source  q: enough] '


class Level:
    """What began with a trap or a softirq on one CPU, and did not end yet."""

    def __init__(self, hop):
        self.hops, self.ours, self.shown = [hop], False, 0


class Walker:
    """Takes the stations of all CPUs as they come, and keeps those of the interrupt we follow."""

    def __init__(self, irq, stop_at_each):
        self.irq, self.stop_at_each = irq, stop_at_each
        self.levels = {}            # by CPU: those open, outermost first
        self.path = None            # the Level that is ours
        self.threads = 0            # handlers that woke theirs
        self.out = False            # the trap has ended
        self.ended = False
        self.left = False           # by the reader

    def _is_ours(self, hop):
        if self.path or not hop.irq:
            return False
        if self.irq is None and hop.station == 'ST_HANDLER':
            self.irq = hop.irq
        return hop.irq == self.irq

    def _in_thread(self, hop):
        """A thread's stations, which may come before the trap has ended elsewhere; True if it is ours."""
        if self.threads and hop.irq == self.irq and hop.station in ('ST_THREAD', 'ST_THREADED'):
            self.path.hops.append(hop)
            self.threads -= hop.station == 'ST_THREADED'
            return True
        return False

    def _level_of(self, hop):
        """The level that the station belongs to; None if that began before we looked."""
        levels = self.levels.setdefault(hop.cpu, [])
        if hop.begins:
            levels.append(Level(hop))
        elif levels:
            levels[-1].hops.append(hop)
        return levels[-1] if levels else None

    def __call__(self, values):
        """Of a Watch at trace_record_at(): whether to stop here."""
        cpu = model.Cpu.of_thread(isa.current())
        if cpu is None or self.ended:
            return False
        hop = stations.Hop(cpu.id, values)
        if hop.station in ('ST_THREAD', 'ST_THREADED'):
            mine = self.path is not None and self._in_thread(hop)
            self.ended = mine and self.out and not self.threads
            return mine and (self.stop_at_each or self.ended)
        level = self._level_of(hop)
        if level is None:
            return False
        if self._is_ours(hop):
            self.path, level.ours = level, True
        if level.ours and hop.station == 'ST_HANDLED' and hop.a == stations.WAKE_THREAD and \
           hop.irq == self.irq:
            self.threads += 1
        if hop.station == 'ST_EXIT':
            self.levels[hop.cpu].pop()
            self.out = self.out or level.ours
            self.ended = level.ours and not self.threads
        return level.ours and (self.stop_at_each or self.ended)

    def recorded(self):
        """The same path as the ring has it: all from the trap to its end, and the threads."""
        end = next(hop for hop in self.path.hops if hop.station == 'ST_EXIT')
        trap, events = iter(stations.recorded(self.path.hops[0], end.slot)), []
        for hop in self.path.hops:
            in_thread = hop.station in ('ST_THREAD', 'ST_THREADED')
            events += stations.recorded(hop) if in_thread else itertools.islice(trap, 1)
        return [*events, *trap]


def header(line):
    """From the device to the root, as the live structs have it."""
    yield 'irq %d %s' % (line.irq, line.title)
    message = line.msi
    if message:
        yield '    device   message %d of %s: writes 0x%x to 0x%x' % (
            message.index, message.device, message.data, message.address)
    for level in line.route:
        found = chips.of(level)
        yield '    level    %d@%s, chip %s%s' % (
            level.hwirq, level.domain.name, level.chip.name if level.chip else 'none',
            ': ' + found.where() if found else '')


def of_others(hops, irq):
    """[whether a station is another line's, that came in the same trap] of HOPS."""
    own = {0, irq, *(level.irq for level in model.irq(irq).route)}
    found, foreign = [], False
    for hop, then in zip(hops, [*hops[1:], None]):
        if hop.station in ('ST_ROOT', 'ST_CLAIM'):      # its own number tells nothing: the lookup does
            foreign = bool(then and then.irq not in own)
        elif hop.irq:
            foreign = hop.irq not in own
        elif hop.station == 'ST_EXIT':
            foreign = False
        found.append(foreign)
    return found


def format_hop(n, hop):
    return '%2d %-8s %s  [cpu %d, %s%s]' % (
        n, hop['station'], hop['text'], hop['cpu'], hop['function'],
        ' ' + hop['source'] if hop['source'] else '') + ('  !! ' + hop['doubt'] if hop['doubt'] else '')


@command
class Walk(Command):
    """The next interrupt, station by station, with its values.
irq walk [N] [--story] [--count K] [--patience S] [--json]

Lets the kernel go on and follows the next interrupt of line N (without N: of any line) from the
trap to its end, threads included: each station, on which CPU, with its values. They are compared with the
line's live structs (callbacks, flow, actions) while they pass, and afterwards with the kernel's trace ring.

--story stops at each and explains it.  If for S seconds (10) nothing comes, `irq why N' tells why.
The kernel records its stations meanwhile, as after `trace on', and stands at the path's end afterwards."""

    name = 'walk'

    def arguments(self, parser):
        parser.add_argument('irq', type=number, nargs='?')
        parser.add_argument('--story', action='store_true')
        parser.add_argument('--count', type=int, default=1)
        parser.add_argument('--patience', type=float, default=10)

    # ---- The story ----

    def _tell(self, walker):
        """The stations that came since; False: the reader has had enough."""
        hops, told = walker.path.hops, walker.path.shown
        if not told:
            gdb.write(''.join('%s\n' % text for text in header(model.irq(walker.irq))))
        others = of_others(hops, walker.irq)
        for n in range(told, len(hops)):
            if n == len(hops) - 1 and hops[n].station in ('ST_ROOT', 'ST_CLAIM') and hops[n].a:
                break                   # whose it is, the next tells
            walker.path.shown += 1
            if not others[n]:
                gdb.write(format_hop(walker.path.shown, hops[n].document) + '\n')
                gdb.write(''.join('      %s\n' % text for text in STORY[hops[n].station].split('\n')))
        gdb.flush()
        return walker.ended or all(others[told:walker.path.shown]) or self._ask()

    @staticmethod
    def _ask():
        """Whether to go on.  Not by input(): gdb ends that at once while a command runs."""
        while True:
            gdb.write(STORY_PROMPT)
            gdb.flush()
            if not os.isatty(0):        # nobody there
                gdb.write('\n')
                return True
            select.select([0], [], [])
            word = os.read(0, 256).decode(errors='replace').strip()
            if word in ('', 'q'):
                return not word
            known = {'b': 'backtrace', 'l': 'list *%d' % go.caller().pc()}
            gdb.execute(known.get(word, 'help irq walk'))

    # ---- The walk ----

    def _one(self, args):
        """(Walker, patience over?) of one path, or of what there was of it."""
        walker = Walker(args.irq, args.story)
        with go.Patience(args.patience, not args.json and 'station') as patience:
            def look(values):
                before = len(walker.path.hops) if walker.path else 0
                stop = walker(values)
                if walker.path and len(walker.path.hops) > before:
                    patience.renew()
                return stop
            with go.Watch(int(model.symbol('trace_record_at').address), look) as watch:
                while not walker.ended:
                    patience.go()
                    if watch.failed:
                        raise watch.failed
                    if patience.over or not watch.here():
                        break
                    if args.story and not args.json and not self._tell(walker):
                        walker.left = True
                        break
                if walker.ended:
                    go.finish()
        return walker, patience.over

    def _path(self, args):
        walker, over = self._one(args)
        hops = [hop.document for hop in walker.path.hops] if walker.path else []
        for hop, other in zip(hops, of_others(walker.path.hops, walker.irq) if hops else []):
            hop['other'] = other
        path = {'irq': walker.irq, 'hops': hops, 'ended': walker.ended, 'ring': None}
        if walker.ended:
            path['ring'] = walker.recorded()
        path.update(stopped=not over and not walker.ended, left=walker.left)
        return path

    def collect(self, args):
        if args.irq is not None:
            model.irq(args.irq)
        if args.count < 1 or args.patience <= 0:
            raise Problem('irq walk: --count and --patience take numbers above zero.')
        stations.rings(0)
        paths = []
        with go.Tracing():
            while len(paths) < args.count and (not paths or paths[-1]['ended']):
                paths.append(self._path(args))
        last = paths[-1]
        silent = not last['ended'] and not last['stopped'] and last['irq']
        self._why = doctor.diagnose(model.irq(last['irq'])) if silent else None
        return {'paths': paths, 'patience': args.patience, 'story': args.story,
                'why': self._why and self._why.json()}

    @staticmethod
    def _verdict(path):
        same = [{key: hop[key] for key in event} for hop, event in zip(path['hops'], path['ring'])] == path['ring']
        if same and len(path['hops']) == len(path['ring']):
            return 'the kernel\'s trace ring has the same %d' % len(path['ring'])
        return 'the kernel\'s trace ring has %d, and not the same' % len(path['ring'])

    def show(self, document):
        for path in document['paths']:
            if path['irq'] and not (document['story'] and path['hops']):
                yield from header(model.irq(path['irq']))
            if not document['story']:
                for n, hop in enumerate(path['hops'], 1):
                    if not hop['other']:
                        yield format_hop(n, hop)
            if path['ended']:
                others = sum(hop['other'] for hop in path['hops'])
                yield '   %d stations%s; %s' % (len(path['hops']), ', %d of them of other lines' % others if others
                                                else '', self._verdict(path))
            elif path['left']:
                yield '   left at the station "%s"' % path['hops'][-1]['station']
            elif path['stopped']:
                yield '   given up: the kernel stopped at %s' % model.place(gdb.newest_frame().pc())
            else:
                yield '   no station for %g s%s' % (document['patience'], '; the last: %s' % path['hops'][-1]['station']
                                                     if path['hops'] else '')
        if self._why:
            yield from self._why.lines()
