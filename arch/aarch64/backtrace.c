/*
 * Backtraces: what each instruction does to sp and to x30, where a call leaves its return address;
 * kernel/unwind.c makes frames of that. [ARM C4.1]
 *
 * All instructions have 32 bits. Rt is bits 4:0, Rn bits 9:5, Rt2 bits 14:10; only those with
 * Rn = sp count. Pairs and single registers come in three forms: sp + offset, sp moved before the
 * access (pre-index), sp moved after it (post-index).
 */
#include <kernel/unwind.h>

#define LR		30
#define RN_SP		0x3e0

extern char trap_irq_return[], trap_exception_return[];

static long sign_extend(u32 v, int width)
{
	return (long)((u64)v << (64 - width)) >> (64 - width);
}

/* An access at sp + OFFSET, of x30 if RA is set, with which sp moves by MOVE. */
static struct insn access(bool ra, bool load, long offset, long move)
{
	enum insn_kind kind = !ra ? INSN_OTHER : load ? INSN_LOAD_RA : INSN_SAVE_RA;

	return (struct insn){ kind, 4, offset, move };
}

/* ldp, stp of 64-bit registers. */
static struct insn decode_pair(u32 v)
{
	bool moves = v & 1 << 23, first = (v & 31) == LR, second = (v >> 10 & 31) == LR;
	long imm = sign_extend(v >> 15 & 0x7f, 7) * 8;
	long at = (moves ? 0 : imm) + (second ? 8 : 0);

	return access(first || second, v & 1 << 22, at, moves ? imm : 0);
}

/* ldr, str of a 64-bit register, its offset in units of 8. */
static struct insn decode_single(u32 v)
{
	return access((v & 31) == LR, v & 1 << 22, (v >> 10 & 0xfff) * 8, 0);
}

/* The same with a signed offset in bytes, which may move sp. */
static struct insn decode_single_signed(u32 v)
{
	bool moves = v & 1 << 10;
	long imm = sign_extend(v >> 12 & 0x1ff, 9);

	return access((v & 31) == LR, v & 1 << 22, moves ? 0 : imm, moves ? imm : 0);
}

/* add or sub sp, sp, imm. */
static struct insn decode_add(u32 v)
{
	long imm = (long)(v >> 10 & 0xfff) << (v & 1 << 22 ? 12 : 0);

	return (struct insn){ INSN_OTHER, 4, 0, v & 1 << 30 ? -imm : imm };
}

static struct insn decode_b(u32 v)
{
	return (struct insn){ INSN_JUMP, 4, sign_extend(v & 0x3ffffff, 26) * 4, 0 };
}

/* b.cond, cbz, cbnz */
static struct insn decode_branch(u32 v)
{
	return (struct insn){ INSN_BRANCH, 4, sign_extend(v >> 5 & 0x7ffff, 19) * 4, 0 };
}

/* tbz, tbnz */
static struct insn decode_test(u32 v)
{
	return (struct insn){ INSN_BRANCH, 4, sign_extend(v >> 5 & 0x3fff, 14) * 4, 0 };
}

static struct insn decode_leave(u32 v)
{
	(void)v;
	return (struct insn){ INSN_LEAVE, 4, 0, 0 };
}

static const struct {
	u32 mask, match;
	struct insn (*decode)(u32 v);
} patterns[] = {
	{ 0xfe000000 | RN_SP, 0xa8000000 | RN_SP, decode_pair },
	{ 0xff800000 | RN_SP, 0xf9000000 | RN_SP, decode_single },
	{ 0xffa00000 | RN_SP, 0xf8000000 | RN_SP, decode_single_signed },
	{ 0xbf80001f | RN_SP, 0x9100001f | RN_SP, decode_add },
	{ 0xfc000000, 0x14000000, decode_b },
	{ 0xff000010, 0x54000000, decode_branch },			/* b.cond */
	{ 0x7e000000, 0x34000000, decode_branch },			/* cbz, cbnz */
	{ 0x7e000000, 0x36000000, decode_test },
	{ 0xfffffc1f, 0xd61f0000, decode_leave },			/* br */
	{ 0xfffffc1f, 0xd65f0000, decode_leave },			/* ret */
	{ 0xffffffff, 0xd69f03e0, decode_leave },			/* eret */
	{ 0xffe0001f, 0xd4200000, decode_leave },			/* brk */
	{ 0xffff0000, 0x00000000, decode_leave },			/* udf */
};

static struct insn decode(unsigned long addr)
{
	u32 v = *(const u32 *)addr;

	for (unsigned int i = 0; i < ARRAY_SIZE(patterns); i++)
		if ((v & patterns[i].mask) == patterns[i].match)
			return patterns[i].decode(v);
	return (struct insn){ INSN_OTHER, 4, 0, 0 };
}

static unsigned long regs_ra(const struct pt_regs *regs)
{
	return regs->lr;
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

	__asm__ volatile("adr %0, .\n\tmov %1, sp" : "=r"(here.pc), "=r"(here.sp));
	unwind(&unwinder, &here, regs, put, arg);
}
