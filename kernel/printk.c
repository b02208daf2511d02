/*
 * The log and the console's two directions.
 *
 *	printk() ─ formats ─> console_write() ─> ring ─> console.write() … transmitter
 *	                                          ^  next piece: console_room(), irq context
 *
 * A text enters the ring whole, under one lock, so lines never mix. When it does not fit, a thread
 * sleeps until it does; whoever must not sleep drains the ring itself, oldest first, by polling.
 * Until a console with interrupts is there, and in a panic, everything is polled.
 */
#include <kernel/interrupt.h>
#include <kernel/printk.h>
#include <kernel/thread.h>
#include <stdio.h>
#include <string.h>

#define RING_SIZE	32768U		/* powers of two */
#define INPUT_SIZE	4096U
#define LINE_SIZE	512
#define STUCK_NS	NSEC_PER_SEC	/* no progress for so long: no interrupts come */
#define CTRL_C		3

static spinlock_t lock;
static const struct console *console;
static char ring[RING_SIZE];
static unsigned int head, tail;		/* ever put in / taken out */
static u64 progress;			/* ns: when the transmitter last took something */
static bool stuck;
static struct thread *room_waiter;
static struct mutex writers = MUTEX_INIT(writers);	/* threads that need to wait for room */
static int panic_cpu = -1;

/* ---- The ring. Lock held. ------------------------------------------------------------------- */

static unsigned int room(void)
{
	return RING_SIZE - (head - tail);
}

static void put(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ring[head++ % RING_SIZE] = text[i];
}

/* Gives the transmitter what it takes now. */
static void feed(void)
{
	while (head != tail) {
		unsigned int start = tail % RING_SIZE;
		size_t n = console->write(ring + start, min(head - tail, RING_SIZE - start));

		if (!n)
			return;
		tail += n;
		progress = ktime_get_ns();
	}
}

static void drain_polled(void)
{
	while (head != tail)
		console->putc_polled(ring[tail++ % RING_SIZE]);
}

static void write_polled(const char *text, size_t len)
{
	drain_polled();
	while (len--)
		console->putc_polled(*text++);
}

static bool by_irq(void)
{
	return console->write && !stuck;
}

/* All or nothing: false if TEXT must wait for room. */
static bool try_write(const char *text, size_t len)
{
	if (!console) {			/* kept for the first one, as far as there is room */
		if (len <= room())
			put(text, len);
		return true;
	}
	if (by_irq() && head != tail && ktime_get_ns() - progress > STUCK_NS)
		stuck = true;
	if (!by_irq()) {
		write_polled(text, len);
		return true;
	}
	if (len > room())
		return false;
	if (head == tail)
		progress = ktime_get_ns();
	put(text, len);
	feed();
	return true;
}

/* ---- Writing -------------------------------------------------------------------------------- */

static bool can_sleep(void)
{
	struct cpu *cpu = this_cpu();

	return cpu->current && cpu->current != cpu->idle && !in_interrupt() &&
	       !arch_irqs_disabled();
}

/* For a text that did not fit. Thread context. */
static void write_sleeping(const char *text, size_t len)
{
	unsigned long flags;
	bool done;

	mutex_lock(&writers);
	for (;;) {
		flags = spin_lock_irqsave(&lock);
		done = try_write(text, len);
		room_waiter = done ? NULL : current_thread();
		spin_unlock_irqrestore(&lock, flags);
		if (done)
			break;
		thread_block(ktime_get_ns() + STUCK_NS);
	}
	mutex_unlock(&writers);
}

static void write_piece(const char *text, size_t len)
{
	bool may_sleep = can_sleep();
	unsigned long flags = spin_lock_irqsave(&lock);
	bool done = try_write(text, len);

	if (!done && !may_sleep) {
		write_polled(text, len);
		done = true;
	}
	spin_unlock_irqrestore(&lock, flags);
	if (!done)
		write_sleeping(text, len);
}

/* In a panic only its CPU speaks; the others stop at their next word. */
static void write_in_panic(const char *text, size_t len)
{
	if (panic_cpu != (int)smp_processor_id()) {
		arch_local_irq_disable();
		for (;;)
			arch_wait_for_interrupt();
	}
	if (console)
		write_polled(text, len);
}

void console_write(const char *text, size_t len)
{
	if (__atomic_load_n(&panic_cpu, __ATOMIC_RELAXED) >= 0) {
		write_in_panic(text, len);
		return;
	}
	while (len) {
		size_t n = min(len, (size_t)RING_SIZE);

		write_piece(text, n);
		text += n;
		len -= n;
	}
}

void vprintk(const char *fmt, va_list args)
{
	static const char cut[] = " (cut)\n";
	char line[LINE_SIZE];
	int len = vsnprintf(line, sizeof(line), fmt, args);

	if (len >= LINE_SIZE) {
		len = LINE_SIZE - 1;
		memcpy(line + LINE_SIZE - sizeof(cut), cut, sizeof(cut));
	}
	if (len > 0)
		console_write(line, len);
}

void printk(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintk(fmt, args);
	va_end(args);
}

/* ---- The console ---------------------------------------------------------------------------- */

void console_register(const struct console *con)
{
	unsigned long flags = spin_lock_irqsave(&lock);

	if (console)
		drain_polled();
	console = con;
	stuck = false;
	if (!con->write)
		drain_polled();
	spin_unlock_irqrestore(&lock, flags);
}

void console_room(void)
{
	unsigned long flags = spin_lock_irqsave(&lock);

	if (by_irq())
		feed();
	if (room_waiter && room() >= RING_SIZE / 2) {
		thread_wake(room_waiter);
		room_waiter = NULL;
	}
	spin_unlock_irqrestore(&lock, flags);
}

void console_flush(void)
{
	unsigned long flags = spin_lock_irqsave(&lock);

	if (console)
		drain_polled();
	spin_unlock_irqrestore(&lock, flags);
}

void console_panic_mode(void)
{
	int nobody = -1;

	__atomic_compare_exchange_n(&panic_cpu, &nobody, (int)smp_processor_id(), false,
				    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/* ---- Input ---------------------------------------------------------------------------------- */

static spinlock_t input_lock;
static unsigned char input[INPUT_SIZE];
static unsigned int input_head, input_tail;
static u32 interrupted;			/* Ctrl-C: a character of its own that overtakes the rest */
static struct thread *input_waiter;

void console_input(char c)
{
	unsigned long flags = spin_lock_irqsave(&input_lock);

	if (c == CTRL_C) {
		input_tail = input_head;
		__atomic_store_n(&interrupted, 1, __ATOMIC_RELAXED);
	} else if (input_head - input_tail < INPUT_SIZE) {
		input[input_head++ % INPUT_SIZE] = c;
	}
	if (input_waiter)
		thread_wake(input_waiter);
	spin_unlock_irqrestore(&input_lock, flags);
}

bool console_interrupted(void)
{
	return __atomic_load_n(&interrupted, __ATOMIC_RELAXED) &&
	       __atomic_exchange_n(&interrupted, 0, __ATOMIC_RELAXED);
}

/* The next character, or -1 and the caller will be woken for one. */
static int take_input(void)
{
	unsigned long flags = spin_lock_irqsave(&input_lock);
	int c = -1;

	if (console_interrupted())
		c = CTRL_C;
	else if (input_head != input_tail)
		c = input[input_tail++ % INPUT_SIZE];
	input_waiter = c < 0 ? current_thread() : NULL;
	spin_unlock_irqrestore(&input_lock, flags);
	return c;
}

int console_getc(u64 deadline)
{
	int c;

	while ((c = take_input()) < 0)
		if (!thread_block(deadline))
			break;
	if (c < 0)
		c = take_input();
	return c < 0 ? -ETIMEDOUT : c;
}
