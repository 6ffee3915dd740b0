# SPDX-License-Identifier: GPL-2.0
#
# make			modules for the running kernel (KDIR=... for another), library,
#			device model, acrn-vhost; VHOST_SRC=... for vhost_blk, where KDIR is
#			no full source tree and has none behind it
# make run		demonstration in VMs: KVER=6.1|6.12 HSM=ours|in-tree
# make test		all tests; T=name for one, KERNEL=debug or rt for another kernel,
#			LONG=1 for all of them on all kernels, and for counts that
#			take their time
# make test ACRN_SRC=...	with acrn-dm, built from there; ON=acrn as well: the tests
#			that can run on the real hypervisor, in Bochs
# make test-list	their names
# make bench		all measurements; B=name for one, QUICK=1 for fewer rounds
# make bench ON=acrn ACRN_SRC=...	those on the real hypervisor, in Bochs
# make bench-compare A=old.json B=new.json
#			two results held against each other
# make bench-from B=name F=lines
#			the results of what was measured on a real machine
# make bench-publish	Documentation/performance.md from the last results, or R=...;
#			ON=acrn for the part about the real hypervisor
# make deb		Debian packages, in build/deb
# make check		static analysis
# make modules_install	install the modules for the running kernel
# make clean

BUILD := $(CURDIR)/build
HARNESS := $(CURDIR)/tests/harness

# Kernels for the VMs: those of 6.1 and 6.12 that this Debian packages
KVERS = $(shell $(HARNESS)/kernels.sh)
KVER ?= $(firstword $(KVERS))
HSM ?= ours
KERNEL ?= base
ON ?= fixture
export KVER HSM KERNEL

.PHONY: all modules modules_install tools hypervisor system-tests
.PHONY: bench-programs bench-modules run test test-list bench bench-compare
.PHONY: bench-from bench-publish deb check clean

all: modules tools

# Kbuild puts objects beside their sources, so it gets a tree of links: each
# kernel can have its own and the checkout stays clean.
KDIR ?= /lib/modules/$(shell uname -r)/build
MODULES_DIR ?= $(BUILD)/modules
MODULE_SOURCES := Kbuild include hsm acrn_vhost ioeventfd irqfd vhost_blk

modules:
	@test -e $(KDIR)/Makefile || { echo "There is no kernel build directory" \
		"$(KDIR): install the kernel's headers or pass KDIR=..." >&2; exit 1; }
	@mkdir -p $(MODULES_DIR)
	@cp -rsfu $(addprefix $(CURDIR)/,$(MODULE_SOURCES)) $(MODULES_DIR)/
	$(MAKE) -C $(KDIR) M=$(MODULES_DIR) $(KBUILD_ARGS) modules
	@grep -q vhost_blk $(MODULES_DIR)/modules.order || echo "vhost_blk.ko was" \
		"not built: $(KDIR) has no drivers/vhost/vhost.h. Pass VHOST_SRC=..." \
		"with the full source of exactly this kernel."

modules_install: modules
	$(MAKE) -C $(KDIR) M=$(MODULES_DIR) modules_install
	depmod $(if $(INSTALL_MOD_PATH),-b "$(INSTALL_MOD_PATH)") \
		$$($(MAKE) -s -C $(KDIR) kernelrelease)

tools:
	$(MAKE) -C lib O=$(BUILD)/lib
	$(MAKE) -C dm O=$(BUILD)/dm LIB=$(BUILD)/lib
	$(MAKE) -C tool O=$(BUILD)/tool

hypervisor:
	$(MAKE) -C tests/hypervisor O=$(BUILD)/hypervisor

# Programs that run in the VMs, whose only libraries are what iperf3 needs. A file
# of tests/system is a program, and so is a folder.
SYSTEM_TESTS := $(patsubst tests/system/%.c,$(BUILD)/tests/service-vm/%,\
	$(wildcard tests/system/*.c))
SYSTEM_SUITES := $(patsubst tests/system/%/main.c,$(BUILD)/tests/service-vm/%,\
	$(wildcard tests/system/*/main.c))
GUEST_TESTS := $(patsubst tests/guest/%.c,$(BUILD)/tests/user-vm/%,\
	$(wildcard tests/guest/*.c))
TEST_CC = $(CC) -O2 -g -Wall -Wextra -Werror -D_GNU_SOURCE -Iinclude -Ilib \
	-Itests/include -pthread

system-tests: $(SYSTEM_TESTS) $(SYSTEM_SUITES) $(GUEST_TESTS) $(BUILD)/tests/acrn/debug_port

TEST_HEADERS := $(wildcard tests/include/*.h)

$(SYSTEM_TESTS): $(BUILD)/tests/service-vm/%: tests/system/%.c $(TEST_HEADERS)
	@mkdir -p $(@D)
	$(TEST_CC) -o $@ $<

.SECONDEXPANSION:
$(SYSTEM_SUITES): $(BUILD)/tests/service-vm/%: $$(wildcard tests/system/%/*.[ch]) \
		$(TEST_HEADERS)
	@mkdir -p $(@D)
	$(TEST_CC) -o $@ $(filter %.c,$^)

$(BUILD)/tests/service-vm/hypervisor: tests/system/hypervisor_guest.S

$(BUILD)/tests/user-vm/%: tests/guest/%.c $(TEST_HEADERS)
	@mkdir -p $(@D)
	$(TEST_CC) -o $@ $<

$(BUILD)/tests/acrn/%: tests/acrn/%.c
	@mkdir -p $(@D)
	$(TEST_CC) -o $@ $<

BENCH_PROGRAMS := $(patsubst bench/%.c,$(BUILD)/bench/%,\
	$(wildcard bench/service-vm/*.c bench/both/*.c))

# And the one of the tests that makes devices for the network
bench-programs: $(BENCH_PROGRAMS) $(BUILD)/tests/service-vm/tap_device

# Beside the modules, against whose symbols it is linked
bench-modules: modules
	for module in floor exits; do \
		mkdir -p $(MODULES_DIR)/$$module && \
		cp -rsfu $(CURDIR)/bench/$$module/. $(MODULES_DIR)/$$module/ && \
		$(MAKE) -C $(KDIR) M=$(MODULES_DIR)/$$module \
			KBUILD_EXTRA_SYMBOLS=$(MODULES_DIR)/Module.symvers modules || exit; \
	done

# Static, to be taken to a real machine
$(BENCH_PROGRAMS): $(BUILD)/bench/%: bench/%.c $(TEST_HEADERS) \
		$(wildcard bench/service-vm/*.h)
	@mkdir -p $(@D)
	$(TEST_CC) -static -o $@ $<

run:
	@KVERS=$(KVER) $(HARNESS)/packages.sh build vm
	@$(HARNESS)/run.py

test:
	@KVERS="$(KVERS)" $(HARNESS)/packages.sh build vm deb test \
		$(if $(LONG)$(filter installed% packages%,$(T)),long) \
		$(if $(ACRN_SRC),acrn)
	@$(HARNESS)/test.py --flavour $(KERNEL) --kvers "$(KVERS)" --on $(ON) \
		--acrn-src "$(ACRN_SRC)" $(if $(LONG),--long) $(T)

test-list:
	@$(HARNESS)/test.py --list --kvers "$(KVERS)" --on $(ON)

bench:
	@KVERS=$(KVER) $(HARNESS)/packages.sh build vm bench $(if $(ACRN_SRC),acrn)
	@bench/bench.py --on $(ON) --acrn-src "$(ACRN_SRC)" $(B)

bench-compare:
	@bench/compare.py $(A) $(B)

bench-from:
	@$(HARNESS)/packages.sh bench
	@bench/bench.py --from $(F) $(B)

bench-publish:
	@$(HARNESS)/packages.sh bench
	@bench/publish.py --on $(ON) $(R)

deb:
	@$(HARNESS)/packages.sh deb
	@packaging/build.sh $(BUILD)/deb

check:
	@KVERS="$(KVERS)" $(HARNESS)/packages.sh build check
	@KVERS="$(KVERS)" $(HARNESS)/check.sh

clean:
	rm -rf $(BUILD)
