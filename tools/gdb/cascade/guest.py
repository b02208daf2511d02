"""One instruction on a stopped CPU, for registers that only a CPU can reach.

QEMU's gdb stub shows neither the AIA's CSRs nor a GICv2, whose registers depend on the CPU that asks.
So we ask as a CPU does: the instruction is put where its pc stands, stepped over, and memory and
registers are put back.  QEMU holds interrupts back while it steps, the other CPUs stay stopped, and
gdb, past which the packets go, does not notice.  A CPU that sleeps (wfi) cannot be stepped."""

import gdb

from . import isa, model
from .model import Problem

PC = 32                         # its number in QEMU's packets, on either ISA


def _packet(text):
    answer = gdb.selected_inferior().connection.send_packet(text)
    if answer.startswith(b'E') or not answer:
        raise Problem('QEMU refused the packet %s.' % text)
    return answer


def _get(number):
    return int.from_bytes(bytes.fromhex(_packet('p%x' % number).decode()), 'little')


def _set(number, value):
    _packet('P%x=%s' % (number, value.to_bytes(8, 'little').hex()))


def _name(thread):
    return 'p%x.%x' % thread.ptid[:2]


def can_run(thread):
    """Whether it runs the kernel, and is awake."""
    if model.Cpu.of_thread(isa.current(), thread) is None:
        return False
    details = bytes.fromhex(_packet('qThreadExtraInfo,' + _name(thread)).decode())
    return b'halted' not in details


def any_thread_of(cpu):
    """The gdb thread of a CPU, awake or not; raises Problem if it runs no kernel."""
    for thread in gdb.selected_inferior().threads():
        found = model.Cpu.of_thread(isa.current(), thread)
        if found and found.id == cpu:
            return thread
    raise Problem('cpu %d does not run Cascade now.' % cpu)


def thread_of(cpu=None):
    """The gdb thread of a CPU (any, if none is given) that can run an instruction; or None."""
    known = sorted(gdb.selected_inferior().threads(), key=lambda t: t != gdb.selected_thread())
    for thread in known:
        found = model.Cpu.of_thread(isa.current(), thread)
        if found and cpu in (None, found.id) and can_run(thread):
            return thread
    return None


def run(thread, instruction, inputs, output=None):
    """Executes one 32-bit INSTRUCTION there, with {register: value}; the OUTPUT register."""
    kept = [*inputs, PC, *isa.current().changes] + ([] if output is None else [output])
    saved = dict.fromkeys(kept)
    selected = gdb.selected_thread()
    memory = gdb.selected_inferior()
    thread.switch()
    gdb.execute('maintenance flush register-cache', to_string=True)
    pc = int(gdb.newest_frame().read_register('pc'))        # and the stub has the thread selected
    code = bytes(memory.read_memory(pc, 4))
    try:
        saved.update((number, _get(number)) for number in saved)
        memory.write_memory(pc, instruction.to_bytes(4, 'little'))
        for number, value in inputs.items():
            _set(number, value)
        _packet('vCont;s:' + _name(thread))
        if _get(PC) != pc + 4:
            raise Problem('The instruction %08x trapped; boot again.' % instruction)
        return None if output is None else _get(output)
    finally:
        memory.write_memory(pc, code)
        for number, value in saved.items():
            if value is not None:
                _set(number, value)
        gdb.execute('maintenance flush register-cache', to_string=True)
        selected.switch()


def _awake(cpu=None):
    thread = thread_of(cpu)
    if thread is None:
        raise Problem('Only a CPU can read that, and %s; stop where one runs.'
                      % ('all sleep' if cpu is None else 'cpu %d sleeps' % cpu))
    return thread


def load(address, cpu=None):
    """The 32-bit register at an address, as a CPU (any, or that one) reads it."""
    instruction, register = isa.current().load
    return run(_awake(cpu), instruction, {register: address}, register) & 0xffffffff


def store(address, value):
    instruction, where, what = isa.current().store
    run(_awake(), instruction, {where: address, what: value})
