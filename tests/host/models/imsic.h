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
 * HWID[n]. Strict: an access that the manual does not define ends the test.
 */
void imsic_model(unsigned int nr, const u64 *hwid);
/* What the file of that CPU holds. */
bool imsic_model_pending(unsigned int cpu, unsigned int id);
bool imsic_model_enabled(unsigned int cpu, unsigned int id);
/* Messages stored so far / that named an identity the file does not have. */
unsigned long imsic_model_stores(void);
unsigned long imsic_model_bad_stores(void);

/* An APLIC domain in MSI mode at APLIC_BASE; sends to the files above. */
void aplic_model(void);
void aplic_model_wire(unsigned int source, bool level);
u32 aplic_model_target(unsigned int source);
u32 aplic_model_mode(unsigned int source);
bool aplic_model_enabled(unsigned int source);

#endif
