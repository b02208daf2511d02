/*
 * Backtraces without frame pointers: the frame of a function is what its instructions, read from
 * its start to the pc, have done to sp and ra. [UNPRIV 2, 16]
 *
 *	CFA ->	caller's frame		addi sp,sp,-size	size of the frame
 *		saved ra, at CFA - ra	sd   ra,off(sp)		where the return address is
 *	sp ->	…			branches, jumps, ret	which of that holds at the pc
 *
 * Code behind a ret or a jump is entered from elsewhere: from a forward branch whose state was
 * noted, else it belongs to the body before the epilogue. The entry code's return addresses are
 * known by name; above them lies a struct pt_regs. Only stack memory is read, and only after a
 * check, so that a corrupt stack ends the walk and nothing else.
 */
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <kernel/thread.h>

#define MAX_FRAMES	1000
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

/* An instruction is this one if its MASK bits are MATCH; its immediate is put together from FIELDS,
 * each bits [hi:lo] moved to AT, and sign-extended from WIDTH bits (0: it has none). */
struct pattern {
	u32 mask, match;
	enum insn_kind kind;
	u8 width;
	struct {
		u8 hi, lo, at;
	} field[8];
};

/* 32 bits long. [UNPRIV 2.2] */
static const struct pattern full_patterns[] = {
	/* addi sp, sp, imm */
	{ 0x000fffff, 0x00010113, INSN_SP_ADD, 12, { { 31, 20, 0 } } },
	/* sd ra, imm(sp) */
	{ 0x01fff07f, 0x00113023, INSN_SAVE_RA, 12, { { 31, 25, 5 }, { 11, 7, 0 } } },
	/* ld ra, imm(sp) */
	{ 0x000fffff, 0x00013083, INSN_LOAD_RA, 0, { { 0 } } },
	/* branches */
	{ 0x0000007f, 0x00000063, INSN_BRANCH, 13,
	  { { 31, 31, 12 }, { 30, 25, 5 }, { 11, 8, 1 }, { 7, 7, 11 } } },
	/* j */
	{ 0x00000fff, 0x0000006f, INSN_JUMP, 21,
	  { { 31, 31, 20 }, { 30, 21, 1 }, { 20, 20, 11 }, { 19, 12, 12 } } },
	/* jr */
	{ 0x00007fff, 0x00000067, INSN_LEAVE, 0, { { 0 } } },
	/* ebreak */
	{ 0xffffffff, 0x00100073, INSN_LEAVE, 0, { { 0 } } },
};

/* 16 bits long. [UNPRIV 16.8] */
static const struct pattern short_patterns[] = {
	/* c.addi16sp */
	{ 0xef83, 0x6101, INSN_SP_ADD, 10,
	  { { 12, 12, 9 }, { 6, 6, 4 }, { 5, 5, 6 }, { 4, 3, 7 }, { 2, 2, 5 } } },
	/* c.addi sp */
	{ 0xef83, 0x0101, INSN_SP_ADD, 6, { { 12, 12, 5 }, { 6, 2, 0 } } },
	/* c.sdsp ra */
	{ 0xe07f, 0xe006, INSN_SAVE_RA, 10, { { 12, 10, 3 }, { 9, 7, 6 } } },
	/* c.ldsp ra */
	{ 0xef83, 0x6082, INSN_LOAD_RA, 0, { { 0 } } },
	/* c.j */
	{ 0xe003, 0xa001, INSN_JUMP, 12,
	  { { 12, 12, 11 }, { 11, 11, 4 }, { 10, 9, 8 }, { 8, 8, 10 }, { 7, 7, 6 }, { 6, 6, 7 },
	    { 5, 3, 1 }, { 2, 2, 5 } } },
	/* c.beqz, c.bnez */
	{ 0xc003, 0xc001, INSN_BRANCH, 9,
	  { { 12, 12, 8 }, { 11, 10, 3 }, { 6, 5, 6 }, { 4, 3, 1 }, { 2, 2, 5 } } },
	/* c.jr; c.ebreak; the illegal instruction */
	{ 0xf07f, 0x8002, INSN_LEAVE, 0, { { 0 } } },
	{ 0xffff, 0x9002, INSN_LEAVE, 0, { { 0 } } },
	{ 0xffff, 0x0000, INSN_LEAVE, 0, { { 0 } } },
};

static long immediate(const struct pattern *p, u32 v)
{
	long imm = 0;

	if (!p->width)
		return 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(p->field) && p->field[i].hi; i++) {
		u32 mask = (1U << (p->field[i].hi - p->field[i].lo + 1)) - 1;

		imm |= (long)(v >> p->field[i].lo & mask) << p->field[i].at;
	}
	return imm << (64 - p->width) >> (64 - p->width);
}

static struct insn decode(u32 v, const struct pattern *patterns, size_t n)
{
	for (const struct pattern *p = patterns; p < patterns + n; p++)
		if ((v & p->mask) == p->match)
			return (struct insn){ p->kind, immediate(p, v) };
	return (struct insn){ INSN_OTHER, 0 };
}

/* The instruction at ADDR and its length; they are only 2-byte aligned. */
static struct insn decode_at(unsigned long addr, unsigned int *length)
{
	const u16 *p = (const u16 *)addr;

	*length = (p[0] & 3) == 3 ? 4 : 2;
	if (*length == 2)
		return decode(p[0], short_patterns, ARRAY_SIZE(short_patterns));
	return decode(p[0] | (u32)p[1] << 16, full_patterns, ARRAY_SIZE(full_patterns));
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
		unsigned int length;
		struct insn insn = decode_at(addr, &length);
		bool falls = scan_insn(&s, addr, insn);

		addr += length;
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
