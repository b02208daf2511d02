/* CPU lists as text, "0-2,5", as Linux prints them; and all CPUs in groups. */
#include <kernel/cpumask.h>
#include <kernel/mm.h>
#include <kernel/printk.h>
#include <lib/errno.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* A possible CPU's number at *TEXT, which moves behind it, or -EINVAL. */
static int parse_cpu(const char **text)
{
	unsigned long cpu;
	char *end;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	cpu = strtoul(*text, &end, 10);
	*text = end;
	return cpu < NR_CPUS && cpumask_test_cpu(cpu, cpu_possible_mask) ? (int)cpu : -EINVAL;
}

int cpulist_parse(const char *text, struct cpumask *m)
{
	struct cpumask mask = CPU_MASK_NONE;

	for (;;) {
		int first = parse_cpu(&text), last = first;

		if (first >= 0 && *text == '-') {
			text++;
			last = parse_cpu(&text);
		}
		if (first < 0 || last < first)
			return -EINVAL;
		for (int cpu = first; cpu <= last; cpu++)
			cpumask_set_cpu(cpu, &mask);
		if (*text == '\0')
			break;
		if (*text++ != ',')
			return -EINVAL;
	}
	cpumask_copy(m, &mask);
	return 0;
}

const char *cpulist_print(char *buf, size_t size, const struct cpumask *m)
{
	unsigned int first, last;
	size_t len = 0;

	if (size)
		buf[0] = '\0';
	for (first = cpumask_first(m); first < NR_CPUS && len < size;
	     first = cpumask_next(last, m)) {
		for (last = first; cpumask_test_cpu(last + 1, m);)
			last++;
		len += snprintf(buf + len, size - len, last > first ? "%s%u-%u" : "%s%u",
				len ? "," : "", first, last);
	}
	return buf;
}

struct cpumask *group_cpus_evenly(unsigned int numgrps)
{
	unsigned int all = cpumask_weight(cpu_possible_mask), groups = min(numgrps, all);
	struct cpumask *masks = numgrps ? kcalloc(numgrps, sizeof(*masks)) : NULL;
	unsigned int cpu, group = 0, room;

	if (!masks)
		return NULL;
	if (numgrps > all)
		pr_warn("%u groups of %u CPUs: the last ones get none", numgrps, all);
	room = DIV_ROUND_UP(all, groups);
	for_each_possible_cpu(cpu) {
		if (!room--) {
			group++;
			room = all / groups + (group < all % groups) - 1;
		}
		cpumask_set_cpu(cpu, &masks[group]);
	}
	return masks;
}
