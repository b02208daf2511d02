/*
 * Nanoseconds since boot, from the CPU's counter. Both directions are a multiplication by a fixed
 * fraction of 2^32, as a division would cost more than all the rest of a timer interrupt.
 */
#include <kernel/of.h>
#include <kernel/printk.h>
#include <kernel/time.h>
#include <kernel/timekeeping.h>

static u64 boot_counter;
static u64 ns_per_step, steps_per_ns;	/* times 2^32 */

/* v * fraction / 2^32; the compiler makes two multiplications of it. */
static u64 scale(u64 v, u64 fraction)
{
	return (u64)((unsigned __int128)v * fraction >> 32);
}

/* The rate stands in each CPU's node, or in /cpus for all of them. [DT 3.8.1] */
static u64 tree_hz(void)
{
	struct device_node *cpus = of_find_node_by_path("/cpus"), *cpu;
	u32 hz = 0;

	if (!cpus || !of_property_read_u32(cpus, "timebase-frequency", &hz))
		return hz;
	for_each_child_of_node(cpus, cpu)
		if (!of_property_read_u32(cpu, "timebase-frequency", &hz))
			return hz;
	return 0;
}

void time_init(void)
{
	u64 hz = arch_counter_hz();

	if (!hz)
		hz = tree_hz();
	if (!hz)
		panic("device tree: /cpus has no timebase-frequency, so there is no time");
	ns_per_step = (NSEC_PER_SEC << 32) / hz;
	steps_per_ns = (hz << 32) / NSEC_PER_SEC + 1;	/* never early */
	boot_counter = arch_counter();
}

u64 ktime_of(u64 counter)
{
	return scale(counter - boot_counter, ns_per_step);
}

u64 ktime_get_ns(void)
{
	return ktime_of(arch_counter());
}

u64 ktime_to_counter(u64 ns)
{
	u64 counter = arch_counter(), now = scale(counter - boot_counter, ns_per_step);

	/* From now on, so that the fraction's error does not grow with uptime. */
	return ns <= now ? counter : counter + scale(ns - now, steps_per_ns) + 1;
}

void udelay(unsigned int us)
{
	u64 end = ktime_get_ns() + us * NSEC_PER_USEC;

	while (ktime_get_ns() < end)
		cpu_relax();
}
