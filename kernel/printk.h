/*
 * The log and the console.
 *
 * printk() formats a whole line (or several) and puts it out at once, under one lock, so that
 * lines of different CPUs never mix; from any context. A line never begins with '[' or '{':
 * those are for JSON answers of the shell.
 */
#ifndef KERNEL_PRINTK_H
#define KERNEL_PRINTK_H

#include <lib/types.h>
#include <stdarg.h>

void printk(const char *fmt, ...) __printf(1, 2) __attribute__((cold));
void vprintk(const char *fmt, va_list args);
/* Raw bytes under the same lock: shell output, JSON. Text is written in order; blocks for room
 * only in thread context. */
void console_write(const char *text, size_t len);

/* "subsystem: message" with the severity in words, as every message of the kernel is. */
#define pr_err(fmt, ...)	printk("error: " fmt "\n", ##__VA_ARGS__)
#define pr_warn(fmt, ...)	printk("warning: " fmt "\n", ##__VA_ARGS__)
#define pr_info(fmt, ...)	printk(fmt "\n", ##__VA_ARGS__)
/* Once per place in the source and boot. */
#define pr_warn_once(fmt, ...) ({								\
	static u32 once_;									\
	if (!__atomic_exchange_n(&once_, 1, __ATOMIC_RELAXED))				\
		pr_warn(fmt, ##__VA_ARGS__); })
/* Evaluates to COND; says where when it is true. */
#define WARN_ON(cond) ({									\
	bool warn_ = (cond);									\
	if (unlikely(warn_))									\
		pr_warn("%s:%d: %s", __FILE__, __LINE__, #cond);				\
	warn_; })

/*
 * A console. The log keeps the text that waits, in order, and the driver has no buffer of its own:
 * write() gives the transmitter what it takes at once (a FIFO's worth; 0 while it is busy), makes
 * sure that an interrupt comes when there is room again, and the irq handler then calls
 * console_room(), holding no lock. write() is called irqs off, under the console's lock.
 * putc_polled() waits for the transmitter, works from the first instruction of C, in any context
 * and in a panic: no lock.
 */
struct console {
	const char *name;
	void (*putc_polled)(char c);
	size_t (*write)(const char *text, size_t len);	/* NULL until interrupts work */
};
void console_register(const struct console *con);	/* replaces; flushes the early log */
void console_room(void);				/* irq context */
/* The driver's irq handler gives each received character here. Irq context. */
void console_input(char c);
/* Waits for a character: 0..255, or -ETIMEDOUT at the deadline (ns). Thread context. */
int console_getc(u64 deadline);
/* True once after the user typed Ctrl-C; commands poll it between steps. Any context. */
bool console_interrupted(void);
/* Waits until everything written has left the machine, at most a second. */
void console_flush(void);
/* From now on only putc_polled(), no lock. For panic. */
void console_panic_mode(void);

/* The end of everything that cannot go on: says why and where, then arch_exit(2). Any context. */
void __noreturn panic(const char *fmt, ...) __printf(1, 2);
/* Prints the caller's backtrace, or that of REGS. Any context. */
struct pt_regs;
void show_backtrace(const struct pt_regs *regs);
/* "handle_edge_irq+0x24" of a code address, into BUF. Any context. */
const char *symbol_name(char *buf, size_t size, unsigned long addr);
/* Only the function's name; NULL if ADDR is not code. OFFSET may be NULL. */
const char *symbol_lookup(unsigned long addr, unsigned long *offset);

#endif
