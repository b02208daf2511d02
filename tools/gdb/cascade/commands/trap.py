"""irq trap: what a CPU is in the middle of."""

import gdb

from . import Command, command
from .. import isa, model

STACK_SIZE = 16384              # STACK_SIZE of <kernel/mm.h>


def stack_of(cpu, sp):
    """Which stack SP is on."""
    if 0 <= int(cpu.value['emergency_sp']) - sp < STACK_SIZE:
        return 'the emergency stack of cpu %d' % cpu.id
    thread = cpu.value['current']
    if int(thread) and 0 <= sp - int(thread['stack']) < STACK_SIZE:
        return 'the stack of thread "%s"' % cpu.current
    return 'the boot stack' if not int(thread) else 'a stack that is not of its thread "%s"' % cpu.current


def handled_at(frames):
    """The irqs whose descriptors the frames have in hand, outermost first."""
    found = []
    for frame in frames:
        try:
            desc = frame.read_var('desc')
            number = 0 if desc.is_optimized_out else int(desc['irq_data']['irq'])
        except (ValueError, gdb.error):
            continue
        if number and number not in found:
            found.insert(0, number)
    return found


def frames_until(level):
    frame = gdb.newest_frame()
    while frame is not None and frame.level() < level:
        yield frame
        frame = frame.older()


@command
class Trap(Command):
    """The trap that the selected CPU (gdb: thread) is in.
irq trap [--json]

Its cause, what it interrupted and whether that had interrupts on, the stack, the nesting, the irqs in
hand."""

    name = 'trap'

    def collect(self, args):
        machine = isa.current()
        cpu = model.Cpu.of_thread(machine)
        registers = {name: machine.register(name) for name in machine.registers}
        answer = {'isa': machine.name, 'cpu': cpu and cpu.id,
                  'registers': {name: hex(value) for name, value in registers.items()},
                  'invisible': machine.invisible}
        if cpu is None:
            return answer
        traps, level = [], 0
        for frame, regs in isa.trap_frames():
            inner = [f for f in frames_until(frame.level()) if f.level() > level]
            level = frame.level()
            traps.append({'what': machine.what(regs), 'at': model.place(machine.pc(regs)),
                          'interrupts_were_on': machine.enabled(regs), 'frame': level,
                          'irqs': handled_at(inner)})
        sp = int(gdb.newest_frame().read_register('sp'))
        answer.update(thread=cpu.current, interrupts_on=machine.interrupts_on(), depth=cpu.depth,
                      stack=stack_of(cpu, sp), now=model.place(gdb.newest_frame().pc()), traps=traps)
        return answer

    def show(self, trap):
        if trap['cpu'] is None:
            yield 'The selected CPU does not run Cascade now: firmware, or not started yet.'
            return
        yield 'cpu %d, thread "%s", at %s' % (trap['cpu'], trap['thread'], trap['now'])
        yield '  interrupts are %s; nesting %d; on %s' % (
            'on' if trap['interrupts_on'] else 'off', trap['depth'], trap['stack'])
        for one in trap['traps']:
            yield '  %s' % one['what']
            yield '    interrupted %s, where interrupts were %s (frame %d)' % (
                one['at'], 'on' if one['interrupts_were_on'] else 'off', one['frame'] + 1)
            for number in one['irqs']:
                yield '    in hand: irq %d %s' % (number, model.irq(number).title)
        if not trap['traps']:
            yield '  in no trap'
        yield '  ' + ' '.join('%s %s' % pair for pair in trap['registers'].items())
        yield '  not visible: ' + trap['invisible']
