/* Models of the Advanced Interrupt Architecture's two controllers, for the drivers to run on. */
#ifndef TESTS_HOST_MODELS_IMSIC_H
#define TESTS_HOST_MODELS_IMSIC_H

#include "model.h"

#define IMSIC_BASE	0x28000000
#define IMSIC_IDS	255
#define APLIC_BASE	0x0d000000
#define APLIC_SOURCES	96

/*
 * Interrupt files at IMSIC_BASE, one page a hart: file n belongs to the hart with hardware id
 * HWID[n]. Violations: anything but a 32-bit store of an identity that there is; a CSR used with
 * interrupts on; sireg where nothing is; delivery before threshold and enable bits were written.
 */
void imsic_model(unsigned int nr, const u64 *hwid);
/* What the file of that CPU holds. */
bool imsic_model_pending(unsigned int cpu, unsigned int id);
bool imsic_model_enabled(unsigned int cpu, unsigned int id);
unsigned long imsic_model_stores(void);		/* so far */
unsigned int imsic_model_files(void);
/* Told before delivery is turned on, on that CPU; NULL: nobody. */
extern void (*imsic_model_on_delivery)(unsigned int cpu);

/*
 * An APLIC domain in MSI mode at APLIC_BASE; sends to the files above. Violations: a register,
 * source or mode that is not there; a target that is no identity of a file; anything asked of an
 * inactive source; enabling before the target is set; another mode, or identity 0, while enabled.
 */
void aplic_model(void);
unsigned long aplic_model_sent(void);		/* messages so far */
void aplic_model_wire(unsigned int source, bool level);
u32 aplic_model_target(unsigned int source);
/* Told before the source is enabled, or disabled, by its number; NULL: nobody. */
extern void (*aplic_model_on_enable)(unsigned int source, bool on);
u32 aplic_model_mode(unsigned int source);
bool aplic_model_enabled(unsigned int source);

#endif
