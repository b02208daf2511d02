/*
 * Backtraces without frame pointers: the frame of a function is what its instructions, read from
 * its start to the pc, have done to sp and ra. [UNPRIV 2, 16]
 *
 *	CFA ->	caller's frame			addi sp,sp,-size	size of the frame
 *		saved ra, at CFA - ra		sd   ra,off(sp)		where the return address is
 *	sp ->	…				branches, jumps, ret	which of that holds at the pc
 *
 * Code behind a ret or a jump is entered from elsewhere: from a forward branch whose state was
 * noted, else it belongs to the body before the epilogue. The entry code's return addresses are
 * known by name; above them lies a struct pt_regs. Only stack memory is read, and only after a
 * check, so that a corrupt stack ends the walk and nothing else.
 */
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/thread.h>

#define MAX_FRAMES	48
#define MAX_TARGETS	16

extern char trap_irq_return[], trap_exception_return[], boot_stack[];

/* ---- One instruction ------------------------------------------------------------------------ */

enum insn_kind {
	INSN_OTHER,
	INSN_SP_ADD,		/* sp += imm */
	INSN_SAVE_RA,		/* ra to sp + imm */
	INSN_LOAD_RA,
	INSN_BRANCH,		/* perhaps to pc + imm */
	INSN_JUMP,		/* to pc + imm */
	INSN_LEAVE,		/* ret, jump to a register, ebreak: not on to the next one */
};

struct insn {
	enum insn_kind kind;
	long imm;
};

/* Bits [hi:lo] of V, moved so that the lowest becomes bit AT. */
static long bits(u32 v, int hi, int lo, int at)
{
	return (long)(v >> lo & ((1U << (hi - lo + 1)) - 1)) << at;
}

static long sign_extend(long v, int width)
{
	return v << (64 - width) >> (64 - width);
}

static struct insn decode_compressed(u32 v)
{
	if ((v & 0xef83) == 0x6101)	/* c.addi16sp */
		return (struct insn){ INSN_SP_ADD, sign_extend(bits(v, 12, 12, 9) | bits(v, 6, 6, 4) |
			bits(v, 5, 5, 6) | bits(v, 4, 3, 7) | bits(v, 2, 2, 5), 10) };
	if ((v & 0xef83) == 0x0101)	/* c.addi sp */
		return (struct insn){ INSN_SP_ADD,
			sign_extend(bits(v, 12, 12, 5) | bits(v, 6, 2, 0), 6) };
	if ((v & 0xe07f) == 0xe006)	/* c.sdsp ra */
		return (struct insn){ INSN_SAVE_RA, bits(v, 12, 10, 3) | bits(v, 9, 7, 6) };
	if ((v & 0xef83) == 0x6082)	/* c.ldsp ra */
		return (struct insn){ INSN_LOAD_RA, 0 };
	if ((v & 0xe003) == 0xa001)	/* c.j */
		return (struct insn){ INSN_JUMP, sign_extend(bits(v, 12, 12, 11) |
			bits(v, 11, 11, 4) | bits(v, 10, 9, 8) | bits(v, 8, 8, 10) |
			bits(v, 7, 7, 6) | bits(v, 6, 6, 7) | bits(v, 5, 3, 1) |
			bits(v, 2, 2, 5), 12) };
	if ((v & 0xc003) == 0xc001)	/* c.beqz, c.bnez */
		return (struct insn){ INSN_BRANCH, sign_extend(bits(v, 12, 12, 8) |
			bits(v, 11, 10, 3) | bits(v, 6, 5, 6) | bits(v, 4, 3, 1) |
			bits(v, 2, 2, 5), 9) };
	if ((v & 0xf07f) == 0x8002 || v == 0x9002 || v == 0)	/* c.jr, c.ebreak, c.unimp */
		return (struct insn){ INSN_LEAVE, 0 };
	return (struct insn){ INSN_OTHER, 0 };
}

static struct insn decode_full(u32 v)
{
	if ((v & 0xfffff) == 0x10113)		/* addi sp,sp,imm */
		return (struct insn){ INSN_SP_ADD, sign_extend(bits(v, 31, 20, 0), 12) };
	if ((v & 0x1fff07f) == 0x113023)	/* sd ra,imm(sp) */
		return (struct insn){ INSN_SAVE_RA,
			sign_extend(bits(v, 31, 25, 5) | bits(v, 11, 7, 0), 12) };
	if ((v & 0xfffff) == 0x13083)		/* ld ra,imm(sp) */
		return (struct insn){ INSN_LOAD_RA, 0 };
	if ((v & 0x7f) == 0x63)			/* branches */
		return (struct insn){ INSN_BRANCH, sign_extend(bits(v, 31, 31, 12) |
			bits(v, 30, 25, 5) | bits(v, 11, 8, 1) | bits(v, 7, 7, 11), 13) };
	if ((v & 0xfff) == 0x6f)		/* j */
		return (struct insn){ INSN_JUMP, sign_extend(bits(v, 31, 31, 20) |
			bits(v, 30, 21, 1) | bits(v, 20, 20, 11) | bits(v, 19, 12, 12), 21) };
	if ((v & 0x7fff) == 0x67 || v == 0x100073)	/* jr, ebreak */
		return (struct insn){ INSN_LEAVE, 0 };
	return (struct insn){ INSN_OTHER, 0 };
}

/* ---- One function --------------------------------------------------------------------------- */

struct frame {
	long size;		/* CFA - sp */
	long ra;		/* the return address is at CFA - ra; 0: still in ra */
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
	switch (insn.kind) {
	case INSN_SP_ADD:
		s->now.size -= insn.imm;
		break;
	case INSN_SAVE_RA:
		s->now.ra = s->now.size - insn.imm;
		break;
	case INSN_LOAD_RA:
		s->now.ra = 0;
		return true;
	case INSN_BRANCH:
	case INSN_JUMP:
		note_target(s, addr + insn.imm);
		return insn.kind == INSN_BRANCH;
	case INSN_LEAVE:
		return false;
	case INSN_OTHER:
		return true;
	}
	if (insn.kind == INSN_SAVE_RA || insn.imm < 0)
		s->body = s->now;
	return true;
}

/* The frame of the function that begins at START when its next instruction is the one at PC. */
static struct frame scan_function(unsigned long start, unsigned long pc)
{
	struct scan s = { .nr_targets = 0 };
	unsigned long addr = start;

	while (addr < pc) {
		const u16 *p = (const u16 *)addr;
		bool full = (p[0] & 3) == 3;
		struct insn insn = full ? decode_full(p[0] | (u32)p[1] << 16) :
					  decode_compressed(p[0]);
		bool falls = scan_insn(&s, addr, insn);

		addr += full ? 4 : 2;
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
	unsigned long stack = (unsigned long)(cpu->current ? cpu->current->stack : boot_stack);

	return !(addr & 7) &&
	       (within(addr, size, stack, STACK_SIZE) ||
		within(addr, size, cpu->emergency_sp - STACK_SIZE, STACK_SIZE));
}

struct walk {
	unsigned long pc, sp;
	unsigned long ra;	/* its value while the function has not saved it; 0: unknown */
	bool exact;		/* pc is an instruction, not a return address */
};

/* From a function to its caller; false at the end. */
static bool walk_up(struct walk *w)
{
	unsigned long inside = w->exact ? w->pc : w->pc - 1, offset;
	struct frame frame = { 0, 0 };

	if (symbol_lookup(inside, &offset))
		frame = scan_function(inside - offset, w->pc);
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

static void walk_from_regs(struct walk *w, const struct pt_regs *regs)
{
	w->pc = regs_pc(regs);
	w->sp = regs_sp(regs);
	w->ra = regs->ra;
	w->exact = true;
}

void arch_backtrace(const struct pt_regs *regs, backtrace_fn put, void *arg)
{
	struct walk w = { .exact = true };
	bool more = true;

	if (regs) {
		walk_from_regs(&w, regs);
		more = put(arg, w.pc, "here");
	} else {
		/* Own frame: nothing moves sp between these and the next call. */
		__asm__ volatile("auipc %0, 0\n\tmv %1, sp" : "=r"(w.pc), "=r"(w.sp));
	}
	for (int i = 0; more && i < MAX_FRAMES && walk_up(&w); i++) {
		more = put(arg, w.pc, NULL);
		if (w.pc != (unsigned long)trap_irq_return &&
		    w.pc != (unsigned long)trap_exception_return)
			continue;
		if (!more || !on_stack(w.sp, sizeof(*regs)))
			break;
		walk_from_regs(&w, (const struct pt_regs *)w.sp);
		more = put(arg, w.pc, "interrupted");
	}
}
