/* irq doctor for tests: one answer in place of a report. */
#ifndef TESTS_HOST_DOCTOR_H
#define TESTS_HOST_DOCTOR_H

/* The name of the first broken link of IRQ's way to CPU, "" if every one is whole. */
const char *doctor(unsigned int irq, unsigned int cpu);
/* What was read there. */
extern char doctor_value[160];

#define assert_broken(irq, name)	assert_string_equal(doctor(irq, 0), name)
#define assert_whole(irq)		assert_broken(irq, "")

#endif
