"""Backtraces name the trap: `<interrupt 9 (external)>' where gdb says `<signal handler called>'."""

import gdb
from gdb.FrameDecorator import FrameDecorator

from . import isa, model


class _Trap(FrameDecorator):
    """The entry code's frame, which holds a struct pt_regs at sp."""

    def function(self):
        frame = self.inferior_frame()
        try:
            regs = model.struct_at(int(frame.read_register('sp')), 'pt_regs')
            return '<%s>' % isa.current().what(regs)
        except (gdb.error, model.Problem):
            return super().function()


class Traps:
    """A frame filter."""

    name, enabled, priority = 'cascade-traps', True, 100

    def filter(self, frames):
        for frame in frames:
            yield _Trap(frame) if isa.is_trap(frame.inferior_frame()) else frame


def register():
    gdb.frame_filters[Traps.name] = Traps()
