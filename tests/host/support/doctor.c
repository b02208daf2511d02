#include <kernel/diagnose.h>
#include <stdio.h>
#include "support/doctor.h"
#include "support/rec.h"

char doctor_value[160];
static char broken[40];
static unsigned int links;

static void link_told(struct diagnosis *dx, bool ok, const char *name, const char *text)
{
	(void)dx;
	links++;
	assert_string_equal(broken, "");	/* none is looked at after it */
	if (ok)
		return;
	snprintf(broken, sizeof(broken), "%s", name);
	snprintf(doctor_value, sizeof(doctor_value), "%s", text);
}

const char *doctor(unsigned int irq, unsigned int cpu)
{
	struct diagnosis dx = { .desc = irq_to_desc(irq), .cpu = cpu, .link = link_told };
	bool whole;

	broken[0] = doctor_value[0] = '\0';
	links = 0;
	whole = irq_diagnose(&dx);
	assert_int_equal(whole, !*broken);
	assert_true(links);
	return broken;
}
