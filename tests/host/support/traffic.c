/* Interrupts at random: see traffic.h. */
#include <kernel/interrupt.h>
#include <kernel/smp.h>
#include <string.h>
#include "model.h"
#include "support/cpus.h"
#include "support/random.h"
#include "support/rec.h"
#include "support/traffic.h"

static const struct traffic *now;
static struct { unsigned int due, got, depth; } line[TRAFFIC_LINES];

static irqreturn_t handle(int irq, void *cookie)
{
	unsigned int n = (unsigned long)cookie;

	assert_int_equal(now->irq[n], irq);
	line[n].got++;
	if (now->served)
		now->served(n);
	return IRQ_HANDLED;
}

static void request(unsigned long n)
{
	assert_int_equal(request_irq(now->irq[n], handle, 0, "traffic", (void *)n), 0);
}

static void give_up(unsigned long n)
{
	free_irq(now->irq[n], (void *)n);
}

static void raise(unsigned int n)
{
	if (line[n].due > line[n].got)
		return;
	line[n].due = line[n].got + 1;
	now->raise(n);
}

static void move(unsigned int n, u64 *r)
{
	irq_set_affinity(now->irq[n], cpumask_of(host_random(r) % now->cpus));
}

static void raise_and_move(unsigned int n, u64 *r)
{
	arch_local_irq_disable();
	raise(n);
	move(n, r);
	arch_local_irq_enable();
}

static void enable(unsigned int n)
{
	if (!line[n].depth)
		return;
	line[n].depth--;
	enable_irq(now->irq[n]);
}

static void assert_arrived(unsigned int n)
{
	while (line[n].depth)
		enable(n);
	host_run_deferred();
	if (line[n].got < line[n].due)
		fail_msg("line %u: its last interrupt was lost", n);
}

/* One that is raised just before may be forgotten with the action. */
static void request_again(unsigned int n, bool raised)
{
	assert_arrived(n);
	if (raised)
		raise(n);
	give_up(n);
	request(n);
	line[n].got = max(line[n].got, line[n].due);
}

static void step(u64 *r)
{
	unsigned int n = host_random(r) % now->lines;

	switch (host_random(r) % 12) {
	case 0:
		move(n, r);
		break;
	case 1:
		line[n].depth++;
		disable_irq(now->irq[n]);
		break;
	case 2:
		enable(n);
		break;
	case 3:
		host_set_cpu(host_random(r) % now->cpus);
		break;
	case 4:
		raise_and_move(n, r);
		break;
	case 5:
		assert_call_reaches(host_random(r) % now->cpus);
		break;
	case 6:
		request_again(n, host_random(r) % 2);
		break;
	case 7:
		if (now->inject && !line[n].depth)
			assert_int_equal(irq_inject_interrupt(now->irq[n]), 0);
		break;
	default:
		raise(n);
	}
	if (host_random(r) % 3 == 0)
		host_run_deferred();
}

void traffic_at_random(const struct traffic *t)
{
	u64 r = random_seed();

	now = t;
	memset(line, 0, sizeof(line));
	for (unsigned int n = 0; n < t->lines; n++)
		request(n);
	for (unsigned int i = 0; i < t->steps; i++)
		step(&r);
	host_set_cpu(0);
	for (unsigned int n = 0; n < t->lines; n++) {
		assert_arrived(n);
		give_up(n);
	}
}
