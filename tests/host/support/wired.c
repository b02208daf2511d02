/* Devices on wires: see wired.h. */
#include <kernel/smp.h>
#include <pthread.h>
#include <string.h>
#include "model.h"
#include "support/board.h"
#include "support/cpus.h"
#include "support/random.h"
#include "support/rec.h"
#include "support/traffic.h"
#include "support/wired.h"

struct wired wired[WIRED];
void (*wired_in_handler)(unsigned int n);

static void (*set_wire)(unsigned int source, bool level);
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void wired_init(void (*wire)(unsigned int source, bool level))
{
	memset(wired, 0, sizeof(wired));
	wired_in_handler = NULL;
	set_wire = wire;
}

irqreturn_t wired_serve(int irq, void *cookie)
{
	unsigned int n = (unsigned long)cookie, wish;
	struct wired *w = &wired[n];

	(void)irq;
	__atomic_fetch_add(&w->runs, 1, __ATOMIC_RELAXED);
	w->ran_on = smp_processor_id();
	if (wired_in_handler)
		wired_in_handler(n);
	pthread_mutex_lock(&lock);
	wish = w->wish;
	w->in_vain |= !wish;
	set_wire(SOURCE(n), false);
	__atomic_store_n(&w->wish, 0, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&lock);
	return wish ? IRQ_HANDLED : IRQ_NONE;
}

void wired_wish(unsigned int n)
{
	pthread_mutex_lock(&lock);
	wired[n].wish = 1;
	set_wire(SOURCE(n), true);
	pthread_mutex_unlock(&lock);
}

unsigned int wired_device(unsigned int n, u32 type)
{
	unsigned int irq = board_map(SOURCE(n), type);

	assert_int_not_equal(irq, 0);
	wired[n] = (struct wired){ .irq = irq };
	assert_int_equal(request_irq(irq, wired_serve, 0, "dev", (void *)(unsigned long)n), 0);
	return irq;
}

unsigned int wired_comes(unsigned int n)
{
	unsigned int before = wired[n].runs;

	wired_wish(n);
	host_run_deferred();
	assert_true(wired[n].runs > before);
	assert_int_equal(wired[n].wish, 0);
	return wired[n].runs - before;
}

void wired_all_come(void)
{
	arch_local_irq_disable();
	for (unsigned int n = 0; n < WIRED; n++)
		wired_wish(n);
	arch_local_irq_enable();
	host_run_deferred();
	for (unsigned int n = 0; n < WIRED; n++)
		assert_int_equal(wired[n].runs, 1);
}

/* ---- At random ------------------------------------------------------------------------------- */

static void raise_wire(unsigned int n)
{
	set_wire(SOURCE(n), true);
}

static void lower_wire(unsigned int n)
{
	set_wire(SOURCE(n), false);
}

void wired_at_random(bool edges)
{
	struct traffic t = { .lines = WIRED, .cpus = BOARD_HARTS, .steps = soak(20000, 500000),
			     .raise = raise_wire, .served = lower_wire };

	for (unsigned int n = 0; n < WIRED; n++)
		t.irq[n] = board_map(SOURCE(n), edges && n % 2 ? IRQ_TYPE_EDGE_RISING
							       : IRQ_TYPE_LEVEL_HIGH);
	traffic_at_random(&t);
}

/* ---- With real concurrency ------------------------------------------------------------------- */

static void wish(void)
{
	wired_wish(0);
}

static bool fulfilled(unsigned int n)
{
	(void)n;
	return !__atomic_load_n(&wired[0].wish, __ATOMIC_ACQUIRE);
}

unsigned int wired_freely(unsigned int times)
{
	unsigned int moves = run_freely(wired[0].irq, BOARD_HARTS, times, wish, fulfilled);

	assert_true(wired[0].runs >= times);
	return moves;
}

/* ---- Without memory -------------------------------------------------------------------------- */

static bool map_and_unmap(void *arg)
{
	unsigned int irq = board_map(70, IRQ_TYPE_LEVEL_HIGH);

	(void)arg;
	if (irq)
		irq_dispose_mapping(irq);
	return irq;
}

void line_without_memory_leaves_nothing(void **state)
{
	(void)state;
	map_and_unmap(NULL);
	assert_true(fail_each(map_and_unmap, NULL) >= 1);
}
