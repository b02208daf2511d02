# Cascade: `make help` lists what can be asked for.  Needs GNU make 3.81 or later, nothing else:
# tools/setup brings the rest.  To add a chip or a device, add its file to a list below.

ARCH ?= riscv64
LLVM ?=

all:

# ---- What the kernel is made of ----

lib := \
	bitmap \
	radix \
	json \
	crc32 \
	errno \
	libgcc

kernel := \
	main \
	smp \
	hotplug \
	cpumask \
	mm \
	map \
	page \
	heap \
	dma \
	time \
	timer \
	sched \
	thread \
	wait \
	softirq \
	unwind \
	of \
	of_early \
	driver \
	printk \
	panic \
	shell \
	shell-line \
	lineedit \
	cmd-irq \
	cmd-irqs \
	cmd-doctor \
	cmd-domains \
	dot \
	cmd-trace \
	cmd-shuffle \
	cmd-sys \
	cmd-alarm \
	cmd-gpio \
	cmd-cpu \
	gpio \
	rtc \
	demo \
	trace \
	trace-text \
	watchdog \
	narrate \
	blk-stress \
	block \
	cmd-blk \
	net \
	net-ip \
	cmd-net \
	of_address \
	of_base \
	of_irq \
	of_msi

irq := \
	irqdesc \
	irqdomain \
	revmap \
	fwspec \
	hierarchy \
	level \
	activate \
	handle \
	flow \
	chip \
	chip-parent \
	startup \
	manage \
	enable \
	percpu \
	irqthread \
	msi \
	msi-desc \
	msi-irqs \
	msi-lib \
	matrix \
	affinity \
	spread \
	cpuhotplug \
	resend \
	spurious \
	ipi \
	debug \
	check \
	doctor \
	generic-chip

# On every ISA: the device tree decides at run time which of them live.
drivers := \
	pci/ecam \
	pci/probe \
	pci/msi \
	virtio/pci \
	virtio/ring \
	virtio/blk \
	virtio/rng \
	nvme/nvme \
	nvme/queue \
	nvme/irq \
	nvme/status \
	nvme/admin \
	nvme/disk \
	nvme/io \
	serial/ns16550a \
	serial/pl011 \
	irqchip/msi-poll \
	irqchip/msi-poll-domain \
	misc/sifive-test \
	misc/goldfish-rtc \
	misc/pl031 \
	misc/edu \
	misc/edu-dma \
	misc/ivshmem \
	gpio/pl061 \
	gpio/gpio-keys \
	pci/bar \
	pci/check \
	pci/caps \
	pci/bus \
	pci/scan \
	pci/bridge \
	pci/claim \
	pci/assign \
	pci/slot \
	pci/hotplug \
	pci/port \
	pci/aer \
	pci/cmd-lspci \
	pci/cmd-msi \
	pci/msi-enable \
	pci/vectors \
	pci/doctor \
	virtio/blk-probe \
	virtio/net \
	virtio/net-probe \
	virtio/pci-regs \
	virtio/pci-vq

# Bound to one ISA, and so allowed to include <asm/...>.
drivers-riscv64 := \
	irqchip/riscv-intc \
	irqchip/imsic \
	irqchip/imsic-domain \
	irqchip/imsic-state \
	irqchip/imsic-doctor \
	irqchip/aplic \
	irqchip/aplic-msi \
	irqchip/aplic-direct \
	irqchip/aplic-idc \
	irqchip/plic \
	irqchip/plic-chip \
	irqchip/sbi-ipi \
	timer/riscv-timer

drivers-aarch64 := \
	irqchip/gic-common \
	irqchip/gic-doctor \
	irqchip/gic-v2 \
	irqchip/gic-v2m \
	irqchip/gic-v3 \
	irqchip/gic-v3-dist \
	irqchip/gic-v3-redist \
	irqchip/gic-v3-lpi \
	irqchip/gic-v3-its \
	irqchip/gic-v3-its-device \
	irqchip/gic-v3-its-cmd \
	irqchip/gic-v3-its-table \
	irqchip/gic-v3-its-info \
	irqchip/gic-v3-doctor \
	timer/arm-arch-timer

# ---- Goals, and the set-up they need ----

goals  := $(or $(MAKECMDGOALS),all)
simple := help clean distclean setup doctor machines count layers
level  := $(if $(filter test soak host bench,$(goals)),test,$(or $(firstword $(filter debug tree,$(goals))),run))

isas := $(patsubst arch/%/Makefile,%,$(wildcard arch/*/Makefile))

ifneq ($(filter-out $(simple),$(goals)),)
ifeq ($(filter $(ARCH),$(isas)),)
$(error unknown ARCH '$(ARCH)'; there is: $(isas))
endif

# What tools/run would refuse is refused before anything is installed or built for it; without
# Python yet, afterwards.
ifneq ($(filter run debug tree trace,$(goals)),)
quoted  = '$(subst ','\'',$(value $(1)))'
refused := $(shell command -v python3 >/dev/null && $(foreach v,ARCH MACHINE SMP DISK QEMU_ARGS \
	DEADLINE,$(v)=$(call quoted,$(v))) python3 tools/run --check 2>&1)
ifneq ($(refused),)
$(error $(refused))
endif
endif

# The stamp says that this level of tools and sources was found once.  It is an (empty) makefile,
# so that make brings it up to date, and then starts again, before it looks for a compiler.
stamp := build/third-party/.setup-$(level)$(if $(LLVM),-llvm)
$(stamp): tools/setup tools/fetch tools/pins $(isas:%=arch/%/Makefile)
	@LLVM=$(LLVM) sh tools/setup $(level)
	@touch $@
include $(stamp)
include arch/$(ARCH)/Makefile
endif

# ---- Tools ----

O := build/$(ARCH)$(if $(LLVM),-llvm)

# The redirections make old versions of make use a shell, where `command' is built in.
first = $(firstword $(foreach p,$(1),$(shell command -v $(p) 2>/dev/null)))
ifneq ($(LLVM),)
v       := $(subst clang,,$(notdir $(call first,clang-19 clang-20 clang-21 clang-18 clang-17 clang)))
CC      := clang$(v)
LD      := ld.lld$(v)
NM      := llvm-nm$(v)
OBJDUMP := llvm-objdump$(v)
OBJCOPY := llvm-objcopy$(v)
target  := --target=$(clang-target)
else
CROSS_COMPILE ?= $(patsubst %gcc,%,$(notdir $(call first,$(cross:%=%gcc))))
CC      := $(CROSS_COMPILE)gcc
LD      := $(CROSS_COMPILE)ld
NM      := $(CROSS_COMPILE)nm
OBJDUMP := $(CROSS_COMPILE)objdump
OBJCOPY := $(CROSS_COMPILE)objcopy
endif
cc-include := $(shell $(CC) -print-file-name=include 2>/dev/null)

# ---- Flags ----

cflags := $(target) $(arch-flags) -std=gnu17 -O2 -g -ffreestanding -fno-pie -fno-common \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fno-unwind-tables -ffunction-sections
ldflags := -nostdlib -static --build-id=sha1 --gc-sections --fatal-warnings -z noexecstack \
	-z max-page-size=4096

include tools/third-party.mk

kflags := -Wall -Wextra -Werror -I. -Iarch/$(ARCH)/include

# ---- Rules ----

# Two runs of make may meet in one tree: every product appears whole, under its final name, by a
# rename.
Q      := $(if $(filter 1,$(V)),,@)
say    = @printf '  %-6s %s\n' '$(1)' '$(2)'
tmp    = $@.$$$$
commit = mv $(tmp) $@
compile = mkdir -p $(@D) && $(CC) $(cflags) $(1) $(third-party-include) -MMD -MP -MT $@ \
	-MF $(tmp).d -c $< -o $(tmp) && mv $(tmp).d $(@:.o=.d) && $(commit)

kernel-c    := $(lib:%=lib/%.c) $(kernel:%=kernel/%.c) $(irq:%=kernel/irq/%.c) \
	$(drivers:%=drivers/%.c) $(drivers-$(ARCH):%=drivers/%.c) \
	$(addprefix arch/$(ARCH)/,$(filter %.c,$(arch)))
kernel-S    := $(addprefix arch/$(ARCH)/,$(filter %.S,$(arch)))
kernel-objs := $(kernel-S:%.S=$(O)/%.o) $(kernel-c:%.c=$(O)/%.o)
objs        := $(kernel-objs) $(third-party-objs)

all: $(O)/kernel.elf $(images:%=$(O)/%) compile_commands.json

# Holds the compiler and its flags; changes only when they do, and then everything is compiled anew.
flags-now := $(CC) $(cflags) $(kflags) $(ldflags)
$(O)/flags: FORCE
	@mkdir -p $(@D)
	@v=$$($(CC) --version 2>/dev/null | head -n 1); \
	[ -n "$$v" ] || { echo "make: no compiler for $(ARCH); see 'make doctor'" >&2; exit 1; }; \
	echo "$$v: $(flags-now)" >$(tmp); \
	if cmp -s $(tmp) $@; then rm $(tmp); else $(commit); fi

$(O)/%.o: %.c $(O)/flags
	$(call say,CC,$<)
	$(Q)$(call compile,$(kflags))

$(O)/%.o: %.S $(O)/flags
	$(call say,AS,$<)
	$(Q)$(call compile,-D__ASSEMBLY__ $(kflags))

$(O)/linker.ld: linker.ld arch/$(ARCH)/include/asm/layout.h $(O)/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(cflags) $(kflags) -D__ASSEMBLER__ -D__ASSEMBLY__ -E -P -x c $< -o $(tmp) && $(commit)

# Two links.  The first one has an empty symbol table; its addresses fill the table of the second
# one, in which no function may have moved.
link = $(LD) $(ldflags) -T $(O)/linker.ld $(objs) $(1) -o $(tmp)

$(O)/ksyms-none.S: tools/ksyms
	@mkdir -p $(@D)
	$(Q)tools/ksyms </dev/null >$(tmp) && $(commit)

# Changes when a file is taken out of a list: nothing else would be newer than the kernel.
$(O)/objects: FORCE
	@mkdir -p $(@D)
	@echo $(objs) >$(tmp); if cmp -s $(tmp) $@; then rm $(tmp); else $(commit); fi

$(O)/kernel-1.elf: $(objs) $(O)/objects $(O)/ksyms-none.o $(O)/linker.ld
	$(Q)$(call link,$(O)/ksyms-none.o) && $(commit)

$(O)/ksyms.S: $(O)/kernel-1.elf tools/ksyms
	$(Q)$(NM) -n $< | tools/ksyms >$(tmp) && $(commit)

$(O)/ksyms.o $(O)/ksyms-none.o: %.o: %.S
	$(Q)$(CC) $(target) $(arch-flags) -c $< -o $(tmp) && $(commit)

$(O)/kernel.elf: $(O)/kernel-1.elf $(O)/ksyms.o
	$(call say,LD,$@)
	$(Q)$(call link,$(O)/ksyms.o) && { $(NM) -n $(tmp) | tools/ksyms | cmp -s - $(O)/ksyms.S || \
		{ rm $(tmp); echo "$@: functions moved between the two links" >&2; exit 1; } } && $(commit)

$(O)/Image: $(O)/kernel.elf
	$(call say,IMAGE,$@)
	$(Q)$(OBJCOPY) -O binary $< $(tmp) && $(commit)

compile_commands.json: $(O)/flags Makefile
	@{ sep='['; for f in $(kernel-c); do \
	printf '%s\n{"directory":"%s","file":"%s","command":"%s"}' "$$sep" '$(CURDIR)' "$$f" \
		"$(CC) $(cflags) $(kflags) $(third-party-include) -c $$f"; \
	sep=,; done; printf '\n]\n'; } >$(tmp) && $(commit)

-include $(objs:.o=.d)

# ---- Running and checking ----

# As typed: make would expand a `$' in them, and a shell would take their quotes; tools/run reads
# them from the environment.
override CMD       := $(value CMD)
override DISK      := $(value DISK)
override QEMU_ARGS := $(value QEMU_ARGS)
override BOOTARGS  := $(value BOOTARGS)
override OUT       := $(value OUT)
override KERNEL    := $(O)/kernel.elf
export ARCH LLVM MACHINE SMP CMD DISK QEMU_ARGS BOOTARGS DEADLINE KERNEL OUT QEMU V

run: $(O)/kernel.elf
	@tools/run

debug: $(O)/kernel.elf
	@tools/run --debug

# A picture of the interrupt tree; a file with the paths of interrupts for Perfetto.
tree trace: $(O)/kernel.elf
	@tools/$@

# The first Python that has what the tests use: a private one in front of the system's may not.
python = $(or $(PYTHON),$(firstword $(foreach p,python3 /usr/bin/python3, \
	$(shell $(p) -c 'import pytest, pexpect, xdist' 2>/dev/null && echo $(p)))),python3)

test soak:
	@PYTHON='$(python)'; export PYTHON; $$PYTHON tests/runall $@

# What an interrupt costs on each machine; so of every ISA.
bench:
	@for isa in $(isas); do $(MAKE) -s --no-print-directory ARCH=$$isa all || exit 1; done
	@unset KERNEL; $(python) tests/bench/bench.py

host:
	@$(MAKE) --no-print-directory -f tests/host/Makefile build/host/libcascade.a

machines:
	@python3 tools/machines.py

doctor:
	@sh tools/doctor

setup:
	@LLVM=$(LLVM) sh tools/setup test

count layers:
	@python3 tools/$@

# Keeps the third-party sources: what was set up once needs no network again.
clean:
	rm -rf compile_commands.json $(filter-out build/third-party,$(wildcard build/*))

distclean:
	rm -rf build compile_commands.json

help:
	@printf '%s\n' \
	'make            build/$(ARCH)/kernel.elf and compile_commands.json' \
	'make run        boot it in QEMU; Ctrl-A x leaves' \
	"  MACHINE=m SMP=n DISK=file|none CMD='a; b' BOOTARGS='...' QEMU_ARGS='...' DEADLINE=seconds" \
	'make debug      boot it halted, with gdb in front: help irq lists its commands' \
	'make tree       OUT=file.svg: a picture of the interrupt tree' \
	'make trace      OUT=file.json: what every CPU and controller did, for Perfetto; QEMU=1: devices too' \
	'make test       every check; the last line is "N passed, N failed"' \
	'make soak       the same with the long versions of the tests' \
	'make bench      instructions of an interrupt, of its set-up and of the boot; last line JSON' \
	'make host       build/host/libcascade.a: the irq core for a program of this machine' \
	'make machines   the machines it runs on, with their QEMU lines' \
	'make doctor     which tools are here, which are missing, what installs them' \
	'make setup      look for the tools and install what is missing' \
	'make count      sizes against the budget' \
	'make layers     who may include what' \
	'make clean      (distclean: also forget the third-party sources)' \
	'everywhere      ARCH=$(ARCH) (of: $(isas)); LLVM=1 takes clang and lld; V=1 says more'

FORCE:
.DELETE_ON_ERROR:
.PHONY: all run debug tree trace test soak bench host machines doctor setup count layers clean distclean help FORCE
