/*
 * Backtraces: what each instruction does to sp and to ra; kernel/unwind.c makes frames of that.
 * Instructions are 16 or 32 bits long, their immediates in pieces. [UNPRIV 2, 16]
 */
#include <kernel/unwind.h>

extern char trap_irq_return[], trap_exception_return[];

/* An instruction is this one if its MASK bits are MATCH; its immediate is put together from FIELDS,
 * each bits [hi:lo] moved to AT, and sign-extended from WIDTH bits (0: it has none). That of an
 * INSN_OTHER is added to sp. */
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
	{ 0x000fffff, 0x00010113, INSN_OTHER, 12, { { 31, 20, 0 } } },
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
	{ 0xef83, 0x6101, INSN_OTHER, 10,
	  { { 12, 12, 9 }, { 6, 6, 4 }, { 5, 5, 6 }, { 4, 3, 7 }, { 2, 2, 5 } } },
	/* c.addi sp */
	{ 0xef83, 0x0101, INSN_OTHER, 6, { { 12, 12, 5 }, { 6, 2, 0 } } },
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

static struct insn decode_as(const struct pattern *patterns, size_t n, u32 v, unsigned int length)
{
	struct insn insn = { INSN_OTHER, length, 0, 0 };

	for (const struct pattern *p = patterns; p < patterns + n; p++) {
		if ((v & p->mask) != p->match)
			continue;
		insn.kind = p->kind;
		insn.imm = immediate(p, v);
		if (p->kind == INSN_OTHER)
			insn.sp_add = insn.imm;
		break;
	}
	return insn;
}

/* Instructions are only 2-byte aligned. */
static struct insn decode(unsigned long addr)
{
	const u16 *p = (const u16 *)addr;

	if ((p[0] & 3) != 3)
		return decode_as(short_patterns, ARRAY_SIZE(short_patterns), p[0], 2);
	return decode_as(full_patterns, ARRAY_SIZE(full_patterns), p[0] | (u32)p[1] << 16, 4);
}

static unsigned long regs_ra(const struct pt_regs *regs)
{
	return regs->ra;
}

static const struct unwinder unwinder = {
	.decode = decode,
	.regs_ra = regs_ra,
	.irq_return = trap_irq_return,
	.exception_return = trap_exception_return,
};

void arch_backtrace(const struct pt_regs *regs, backtrace_fn put, void *arg)
{
	struct walk here = { .ra = (unsigned long)__builtin_return_address(0), .exact = true };

	__asm__ volatile("auipc %0, 0\n\tmv %1, sp" : "=r"(here.pc), "=r"(here.sp));
	unwind(&unwinder, &here, regs, put, arg);
}
