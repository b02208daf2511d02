/*
 * GICv2 and GICv3 seen alike: a device on an SPI, and claims that hold under both, for each one's
 * program to list. It says first which model it runs on.
 */
#ifndef TESTS_HOST_GIC_H
#define TESTS_HOST_GIC_H

#include <kernel/interrupt.h>
#include <kernel/irqdomain.h>
#include <kernel/of.h>

/* As in models/gicv2.h and gicv3.h. */
struct gic_model {
	const char *compatible;
	unsigned int cpus, intids;
	void (*wire)(unsigned int intid, bool level);
	void (*intrude)(unsigned int cpu, unsigned int intid);
	bool (*enabled)(unsigned int cpu, unsigned int intid);
	bool (*pending)(unsigned int cpu, unsigned int intid);
	bool (*active)(unsigned int cpu, unsigned int intid);
	bool (*edge)(unsigned int intid);
};
extern const struct gic_model *gic_model;

struct device_node *gic_node(void);
struct irq_domain *gic_domain(void);
/* A mapping by a specifier of three cells; 0: refused. */
unsigned int gic_map(u32 kind, u32 number, u32 flags);

/* ---- A device on an SPI ---------------------------------------------------------------------- */

extern struct spi_device {
	unsigned int runs, ran_on;		/* its handler's */
	unsigned int wire;			/* which the handler lets fall; 0: none */
	void (*in_handler)(unsigned int irq);	/* called before that; NULL: nothing */
} spi;

/* Their handler. */
irqreturn_t spi_serve(int irq, void *cookie);
/* Maps and requests it, with &spi for a cookie; all else is as new. */
unsigned int spi_device(u32 number, u32 type);
/* An interrupt is handled once, on that CPU, and ended there. */
void spi_comes(unsigned int cpu);

/* ---- Claims ---------------------------------------------------------------------------------- */

/* S-174, for one line that is no LPI; it is left masked. */
void assert_gic_states(unsigned int irq, unsigned int intid);

void s158_cells_name_lines(void **state);
void s159_triggers(void **state);
void level_comes_again_edge_does_not(void **state);
void edge_during_its_handler_counts(void **state);
void unmapped_is_ended_and_told_once(void **state);

#endif
