/*
 * Which extensions a hart has, as its node of the device tree says: a list, or the ISA string that
 * it replaces. [DT-RISCV extensions.yaml] The host port has the same.
 */
#ifndef ASM_ISA_H
#define ASM_ISA_H

#include <kernel/driver.h>
#include <string.h>

/* EXTENSION, of more than one letter, is a whole word of the string: from a '_' to the next. */
static inline bool isa_string_has(const char *isa, const char *extension)
{
	size_t len = strlen(extension);

	while ((isa = strchr(isa, '_'))) {
		isa++;
		if (!strncmp(isa, extension, len) && (isa[len] == '_' || isa[len] == '\0'))
			return true;
	}
	return false;
}

static inline bool hart_has(const struct device_node *hart, const char *extension)
{
	const char *isa;

	return of_property_match_string(hart, "riscv,isa-extensions", extension) >= 0 ||
	       (!of_property_read_string(hart, "riscv,isa", &isa) &&
		isa_string_has(isa, extension));
}

#endif
