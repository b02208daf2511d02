/*
 * The end: panic(), the report of a trap that nobody expected, and the names of code addresses.
 *
 * The build puts every function's address, as an offset from the image's start and rising, into
 * ksyms_offset[], its name's place in ksyms_strings into ksyms_name[] (tools/ksyms).
 */
#include <kernel/cpu.h>
#include <kernel/driver.h>
#include <kernel/printk.h>
#include <kernel/thread.h>
#include <stdio.h>

#define EXIT_PANIC	2

extern const u32 ksyms_count, ksyms_offset[], ksyms_name[];
extern const char ksyms_strings[], __text_start[], __text_end[];

/* ---- Symbols -------------------------------------------------------------------------------- */

const char *symbol_lookup(unsigned long addr, unsigned long *offset)
{
	unsigned long at = addr - (unsigned long)__text_start;
	u32 low = 0, high = ksyms_count;

	if (addr < (unsigned long)__text_start || addr >= (unsigned long)__text_end)
		return NULL;
	while (low < high) {		/* the first symbol above the address */
		u32 middle = (low + high) / 2;

		if (ksyms_offset[middle] <= at)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	if (offset)
		*offset = at - ksyms_offset[low - 1];
	return ksyms_strings + ksyms_name[low - 1];
}

const char *symbol_name(char *buf, size_t size, unsigned long addr)
{
	unsigned long offset;
	const char *name = symbol_lookup(addr, &offset);

	if (name)
		snprintf(buf, size, "%s+0x%lx", name, offset);
	else
		snprintf(buf, size, "0x%lx", addr);
	return buf;
}

struct printed {
	unsigned long pc;
	unsigned int again;	/* the same frame once more, as in endless recursion */
};

static void print_again(struct printed *last)
{
	if (last->again)
		printk("  … the same %u times more\n", last->again);
	last->again = 0;
}

/* A return address may be the start of the next function, so its call is looked up instead. */
static bool print_frame(void *arg, unsigned long pc, const char *note)
{
	struct printed *last = arg;
	unsigned long offset = 0;
	const char *name = symbol_lookup(note ? pc : pc - 1, &offset);

	if (pc == last->pc) {
		last->again++;
		return true;
	}
	print_again(last);
	last->pc = pc;
	printk("  %016lx  %s+0x%lx%s%s\n", pc, name ? name : "?", note ? offset : offset + 1,
	       note ? "  <- " : "", note ? note : "");
	return true;
}

void show_backtrace(const struct pt_regs *regs)
{
	struct printed last = { 0, 0 };

	printk("backtrace, innermost first:\n");
	arch_backtrace(regs, print_frame, &last);
	print_again(&last);
}

/* ---- Exit ----------------------------------------------------------------------------------- */

static void (*exit_device)(int status);

void machine_exit_register(void (*fn)(int status))
{
	__atomic_store_n(&exit_device, fn, __ATOMIC_RELEASE);
}

void machine_exit(int status)
{
	void (*fn)(int status) = __atomic_load_n(&exit_device, __ATOMIC_ACQUIRE);

	if (!fn)
		return;
	fn(status);
	udelay(1000 * 1000);		/* it may need a moment; what comes next loses the status */
}

/* ---- Panic ---------------------------------------------------------------------------------- */

/* True for the first CPU that comes here, the first time; the others stay in it. */
static bool panic_begin(void)
{
	static int owner = -1;
	int nobody = -1, self = smp_processor_id();

	arch_local_irq_disable();
	if (__atomic_compare_exchange_n(&owner, &nobody, self, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE)) {
		console_panic_mode();
		return true;
	}
	while (__atomic_load_n(&owner, __ATOMIC_RELAXED) != self)
		arch_wait_for_interrupt();
	return false;
}

static void __noreturn report(const char *what, const struct pt_regs *regs)
{
	const struct thread *thread = current_thread();

	if (!panic_begin()) {
		printk("panic in the panic: %s\n", what);
		arch_exit(EXIT_PANIC);
	}
	printk("\npanic: %s\n", what);
	printk("cpu %u, thread %s%s\n", smp_processor_id(), thread ? thread->name : "boot",
	       in_interrupt() ? ", in an interrupt" : "");
	if (regs)
		arch_show_regs(regs);
	show_backtrace(regs);
	arch_exit(EXIT_PANIC);
}

void panic(const char *fmt, ...)
{
	char what[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	report(what, NULL);
}

void do_bad_trap(struct pt_regs *regs, const char *what)
{
	report(what, regs);
}
