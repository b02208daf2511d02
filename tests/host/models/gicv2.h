/*
 * A GICv2 [GIC2] with up to eight CPU interfaces, at GIC_DIST and GIC_CPU, and a v2m frame. Strict:
 * an access of another size than the manual allows, an end that is not the last claim's, a trigger
 * or targets changed while the line is enabled, a message for a level are violations.
 */
#ifndef TESTS_HOST_MODELS_GICV2_H
#define TESTS_HOST_MODELS_GICV2_H

#include "model.h"

#define GIC_DIST	0x8000000
#define GIC_CPU		0x8010000
#define GIC_FRAME	0x8020000
#define GIC_INTIDS	288

/* Interface n of NR is that of the CPU with hardware id HWID[n]; one alone has no targets. Firmware
 * has left its traces. The frame says TYPER. */
void gicv2_model(unsigned int nr, const u64 *hwid, u32 typer);
void gicv2_wire(unsigned int intid, bool level);		/* an SPI's */
/* Violations: claims that have not been ended. */
void gicv2_check(void);
/* As if somebody had enabled that SPI and made it pending. */
void gicv2_intrude(unsigned int intid);

bool gicv2_enabled(unsigned int cpu, unsigned int intid);	/* CPU: of SGIs and PPIs only */
bool gicv2_pending(unsigned int cpu, unsigned int intid);
bool gicv2_active(unsigned int cpu, unsigned int intid);
bool gicv2_edge(unsigned int intid);				/* a PPI: CPU 0's */
/* The CPU an SPI is for, -1: none or several. */
int gicv2_target(unsigned int intid);
/* Ends of SGIs since the start, by the interface that had sent them. */
unsigned int gicv2_ended_from(unsigned int interface);
unsigned int gicv2_interface(unsigned int cpu);

#endif
