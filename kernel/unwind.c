/*
 * Backtraces without frame pointers: the frame of a function is what its instructions, read from
 * its start to the pc, have done to sp and to the return address. Arch code decodes them.
 *
 *	CFA ->	caller's frame		sp_add < 0		size of the frame
 *		return address,		INSN_SAVE_RA		where the return address is
 *		at CFA - ra
 *	sp ->	…			branches, jumps, ret	which of that holds at the pc
 *
 * Code behind a return or a jump is entered from elsewhere: from a forward branch whose state was
 * noted, else it belongs to the body before the epilogue. The trap entry's return addresses are
 * known by name; above them lies a struct pt_regs. Only stack memory is read, and only after a
 * check, so that a corrupt stack ends the walk and nothing else.
 */
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/thread.h>
#include <kernel/unwind.h>

#define MAX_FRAMES	1000
#define MAX_TARGETS	16

/* ---- One function --------------------------------------------------------------------------- */

struct frame {
	long size;		/* CFA - sp */
	long ra;		/* the return address is at CFA - ra; 0: still in its register */
};

struct scan {
	struct frame now, body;
	struct {
		unsigned long addr;
		struct frame frame;
	} target[MAX_TARGETS];
	unsigned int nr_targets;
};

static void note_target(struct scan *s, unsigned long addr)
{
	unsigned int slot = s->nr_targets++ % MAX_TARGETS;

	s->target[slot].addr = addr;
	s->target[slot].frame = s->now;
}

static struct frame frame_at_target(const struct scan *s, unsigned long addr)
{
	for (unsigned int i = 0; i < MAX_TARGETS && i < s->nr_targets; i++)
		if (s->target[i].addr == addr)
			return s->target[i].frame;
	return s->body;
}

/* Applies the instruction at ADDR; false if the next one is not entered from it. */
static bool scan_insn(struct scan *s, unsigned long addr, struct insn insn)
{
	s->now.size -= insn.sp_add;
	switch (insn.kind) {
	case INSN_SAVE_RA:
		s->now.ra = s->now.size - insn.imm;
		break;
	case INSN_LOAD_RA:
		s->now.ra = 0;
		break;
	case INSN_BRANCH:
	case INSN_JUMP:
		note_target(s, addr + insn.imm);
		break;
	default:
		break;
	}
	if (insn.kind == INSN_SAVE_RA || insn.sp_add < 0)
		s->body = s->now;
	return insn.kind != INSN_JUMP && insn.kind != INSN_LEAVE;
}

/* The frame of the function that begins at START when its next instruction is the one at PC. */
static struct frame scan_function(const struct unwinder *u, unsigned long start, unsigned long pc)
{
	struct scan s = { .nr_targets = 0 };
	unsigned long addr = start;

	while (addr < pc) {
		struct insn insn = u->decode(addr);
		bool falls = scan_insn(&s, addr, insn);

		addr += insn.length;
		if (!falls)
			s.now = frame_at_target(&s, addr);
	}
	return s.now;
}

/* ---- The walk ------------------------------------------------------------------------------- */

static bool within(unsigned long addr, size_t size, unsigned long start, size_t length)
{
	return addr >= start && addr - start <= length - size;
}

/* Is [addr, addr + size) on a stack of this CPU? */
static bool on_stack(unsigned long addr, size_t size)
{
	const struct cpu *cpu = this_cpu();
	void *stack = cpu->current ? cpu->current->stack : arch_boot_stack();

	return !(addr & 7) &&
	       (within(addr, size, (unsigned long)stack, STACK_SIZE) ||
		within(addr, size, cpu->emergency_sp - STACK_SIZE, STACK_SIZE));
}

/* From a function to its caller; false at the end. */
static bool walk_up(const struct unwinder *u, struct walk *w)
{
	unsigned long inside = w->exact ? w->pc : w->pc - 1, offset;
	struct frame frame = { 0, 0 };

	if (symbol_lookup(inside, &offset))
		frame = scan_function(u, inside - offset, w->pc);
	else if (!w->exact)
		return false;
	w->sp += frame.size;
	if (!frame.ra)
		w->pc = w->ra;
	else if (on_stack(w->sp - frame.ra, 8))
		w->pc = *(unsigned long *)(w->sp - frame.ra);
	else
		w->pc = 0;
	w->ra = 0;
	w->exact = false;
	return symbol_lookup(w->pc - 1, &offset);
}

static void walk_from_regs(const struct unwinder *u, struct walk *w, const struct pt_regs *regs)
{
	w->pc = regs_pc(regs);
	w->sp = regs_sp(regs);
	w->ra = u->regs_ra(regs);
	w->exact = true;
}

static bool is_trap(const struct unwinder *u, unsigned long pc)
{
	return pc == (unsigned long)u->irq_return || pc == (unsigned long)u->exception_return;
}

void unwind(const struct unwinder *u, const struct walk *from, const struct pt_regs *regs,
	    backtrace_fn put, void *arg)
{
	struct walk w = *from;
	bool more = true;

	if (regs) {
		walk_from_regs(u, &w, regs);
		more = put(arg, w.pc, "here");
	}
	for (int i = 0; more && i < MAX_FRAMES && walk_up(u, &w); i++) {
		more = put(arg, w.pc, NULL);
		if (!is_trap(u, w.pc))
			continue;
		if (!more || !on_stack(w.sp, sizeof(*regs)))
			break;
		walk_from_regs(u, &w, (const struct pt_regs *)w.sp);
		more = put(arg, w.pc, "interrupted");
	}
}
