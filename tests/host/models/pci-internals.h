/* Between pci.c and pci-msi.c. */
#ifndef TESTS_HOST_MODELS_PCI_INTERNALS_H
#define TESTS_HOST_MODELS_PCI_INTERNALS_H

#include "models/pci.h"

void pci_model_add_msi(struct pci_function *f);
/* SIZE bytes at WHERE have been written; BEFORE are the first 256 bytes as they were. */
void pci_model_config_written(struct pci_function *f, const u8 *before, unsigned int where,
			      unsigned int size);
/* Complains about ones in reserved bits: what is to be written, before it is. */
void pci_model_reserved(struct pci_function *f, unsigned int where, unsigned int size, u32 v);
#define PCI_MODEL_PBA	0x800		/* in the BAR of the table */
u64 pci_model_table_read(struct pci_function *f, u64 offset, unsigned int size);
void pci_model_table_write(struct pci_function *f, u64 offset, u64 v, unsigned int size);

#endif
