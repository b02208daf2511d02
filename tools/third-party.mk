# newlib and libfdt: the files Cascade uses, compiled like its own (same compiler, same flags), so
# that there is no prebuilt library, no configure, and no instruction the kernel would not use.
# tools/setup unpacks the sources, tools/pins names them, tools/newlib/newlib.h configures newlib.

NEWLIB := build/third-party/newlib/newlib/libc
LIBFDT := build/third-party/dtc/libfdt

newlib := \
	$(addprefix string/,memchr memcmp memcpy memmove memset strcat strchr strcmp strcpy strcspn \
		strlcat strlcpy strlen strncat strncmp strncpy strnlen strpbrk strrchr strsep strspn \
		strstr strtok_r) \
	$(addprefix stdlib/,atoi labs strtol strtoul strtoll strtoull mbtowc_r wctomb_r) \
	$(addprefix search/,bsearch qsort) \
	$(addprefix stdio/,snprintf vsnprintf svfprintf ssputs_r) \
	$(addprefix ctype/,ctype_ isalnum isalpha isdigit islower isprint ispunct isspace isupper \
		isxdigit tolower toupper) \
	reent/impure locale/locale locale/localeconv errno/errno
libfdt := fdt fdt_ro fdt_addresses fdt_strerror fdt_check

third-party-objs := $(newlib:%=$(O)/newlib/%.o) $(O)/tools/newlib/hooks.o \
	$(libfdt:%=$(O)/libfdt/%.o)

# For whatever includes <string.h> and its like, or <libfdt.h>.
third-party-include := -nostdinc -isystem tools/newlib \
	$(if $(newlib-machine),-isystem $(NEWLIB)/machine/$(newlib-machine)) -isystem $(NEWLIB)/include \
	-isystem $(cc-include) -isystem $(cc-include)-fixed -isystem $(LIBFDT)

# Integer formats only: without FP registers there is no %f, and no bignum code behind it.
newlib-flags := -D_LIBC -D_COMPILING_NEWLIB -D_GNU_SOURCE -D__SINGLE_THREAD__ -D__IEEE_LITTLE_ENDIAN \
	-DNO_FLOATING_POINT -I$(NEWLIB)/locale -I$(NEWLIB)/stdio -I$(NEWLIB)/stdlib -I$(NEWLIB)/ctype \
	-fno-builtin
libfdt-flags := -DFDT_ASSUME_MASK=0

$(O)/newlib/stdio/svfprintf.o: $(NEWLIB)/stdio/vfprintf.c $(O)/flags tools/pins
	$(call say,CC,newlib/stdio/svfprintf.c)
	$(Q)$(call compile,-w $(newlib-flags) -DSTRING_ONLY)

$(O)/newlib/%.o: $(NEWLIB)/%.c $(O)/flags tools/pins
	$(call say,CC,newlib/$*.c)
	$(Q)$(call compile,-w $(newlib-flags))

$(O)/libfdt/%.o: $(LIBFDT)/%.c $(O)/flags tools/pins
	$(call say,CC,libfdt/$*.c)
	$(Q)$(call compile,-w $(libfdt-flags))
