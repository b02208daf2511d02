/*
 * Why does an interrupt not arrive? Each part that it passes on its way (the device, every level of
 * controllers, the CPU, the core's line) tells of its links whether they let it through, and shows
 * the value it has read. The first link that does not is the answer. Nothing that is read here has
 * an effect; nothing is changed.
 */
#ifndef KERNEL_DIAGNOSE_H
#define KERNEL_DIAGNOSE_H

#include <kernel/driver.h>
#include <kernel/irq.h>

struct diagnosis {
	struct irq_desc *desc;		/* the line in question, its actions held */
	unsigned int cpu;		/* that it shall interrupt */
	bool broken;			/* a link is; those after it are not looked at */
	/* Told of each link, up to the broken one. */
	void (*link)(struct diagnosis *dx, bool ok, const char *name, const char *value);
};

/* A link NAME ("bus master"), what was read as FMT says ("command 0x0407"). OK: it lets the
 * interrupt through. Thread context, under devices_lock(), as all of this. */
void diagnose(struct diagnosis *dx, bool ok, const char *name, const char *fmt, ...)
	__printf(4, 5);
/* The same for a gate that masking closes: closed while the core wants the line masked it is no
 * fault of its own; the core's links tell why it is. D: the level's irq_data. */
void diagnose_gate(struct diagnosis *dx, const struct irq_data *d, bool open, const char *name,
		   const char *fmt, ...) __printf(5, 6);
/* Runs FN(ARG) on the line's CPU, for registers that only it can read. False: it does not answer,
 * which is told. */
bool diagnose_on_cpu(struct diagnosis *dx, void (*fn)(void *arg), void *arg);

/* All links of dx->desc in order. True: every one is whole. */
bool irq_diagnose(struct diagnosis *dx);

/* A bus's part: FN tells of the device that dx->desc belongs to, if it is one of its own. */
typedef void (*device_doctor_t)(struct diagnosis *dx);
struct device_doctor {
	device_doctor_t diagnose;
};
#define DEVICE_DOCTOR(name, fn)									\
	static const struct device_doctor device_doctor_##name = { fn };			\
	TABLE_ENTRY(device_doctor, const struct device_doctor, device_doctor_##name)

#endif
