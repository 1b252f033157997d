# quern: build, test, install. `make help` lists the targets, CONTRIBUTING.md explains.

VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
ifeq ($(origin CC),default)
  CC := cc
endif
CFLAGS  ?= -O2 -g
V       ?= 0
MPI     ?= auto

# A variant is a build folder with its own flags: VARIANT=debug, asan, tsan, fault, fuzz, arm64.
VARIANT ?= release
ifeq ($(VARIANT),release)
  BUILD := build
else
  BUILD := build/$(VARIANT)
endif
VFLAGS_release :=
VFLAGS_debug   := -O0
VFLAGS_asan    := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
VFLAGS_tsan    := -O1 -fsanitize=thread
VFLAGS_fault   := -DQUERN_FAULT=1
VFLAGS_arm64   :=
VFLAGS_fuzz    := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
                  -fno-omit-frame-pointer
ifeq ($(origin VFLAGS_$(VARIANT)),undefined)
  $(error unknown VARIANT=$(VARIANT): release, debug, asan, tsan, fault, fuzz, arm64)
endif

# Each MPI has a module that the program loads under a launcher: comm_mpi.c, built by
# the compiler wrapper of that MPI. MPI=auto: for those that are there; 1: at least one.
ifeq ($(filter auto 0 1,$(MPI)),)
  $(error unknown MPI=$(MPI): auto, 0, 1)
endif
MPIS := $(if $(filter 0,$(MPI)),,$(foreach m,openmpi mpich,$(if $(shell command -v mpicc.$m),$m)))
ifeq ($(MPI)$(MPIS),1)
  $(error MPI=1, but there is no mpicc.openmpi and no mpicc.mpich; tools/install-deps build)
endif
LEFT_OUT := src/main.c src/engine/comm_mpi.c

WERROR  ?=
WARN    := -Wall -Wextra -Wshadow -Wconversion -Wmissing-prototypes -Wvla -Wundef $(WERROR)
CPPFLAGS_OUR := -D_GNU_SOURCE -DQUERN_VERSION='"$(VERSION)"' -Isrc -Ikernels
CPPFLAGS_ALL := $(CPPFLAGS_OUR) -MMD -MP $(CPPFLAGS)
CFLAGS_OUR   := -std=c11 $(WARN) -fopenmp -pthread
CFLAGS_ALL   := $(CFLAGS_OUR) $(CFLAGS) $(VFLAGS_$(VARIANT))
LDFLAGS_ALL  := -fopenmp -pthread $(VFLAGS_$(VARIANT)) $(LDFLAGS)
LIBS         := -lecm -lgmp -linih -ljansson -lxxhash -lz -lzstd -lm
ifeq ($(V),0)
  Q := @
  say = @printf '  %-5s %s\n' $(1) $(2)
endif

SRC     := $(filter-out $(LEFT_OUT),$(wildcard src/*/*.c)) $(wildcard kernels/*.c kernels/arith/*.c)
OBJ     := $(SRC:%.c=$(BUILD)/obj/%.o)
MAINOBJ := $(BUILD)/obj/src/main.o
LIB     := $(BUILD)/libquern.a
PROGRAM := $(BUILD)/quern
HELPER  := $(BUILD)/libexec/quern-qs
MODULES := $(MPIS:%=$(BUILD)/libexec/quern-mpi-%.so)
FAULTY  := build/fault/quern
UNITS   := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
BENCHES := $(patsubst tests/bench/%.c,$(BUILD)/tests/%,$(wildcard tests/bench/bench_*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
SWITCH  := $(BUILD)/tests/switch
REPLAYS := $(FUZZERS:$(BUILD)/fuzz_%=$(BUILD)/tests/replay_%)
C_FILES := $(sort $(wildcard src/*.c src/*/*.[ch] kernels/*.[ch] kernels/*/*.[ch] tests/*/*.[ch]))
TIDY    := $(wildcard src/main.c) $(SRC) $(wildcard kernels/helper/*.c)

.PHONY: all
all: $(PROGRAM) $(HELPER) $(MODULES)  ## build quern; installs nothing (VARIANT=debug|asan|tsan|fault, V=1)

# --- for a newcomer -----------------------------------------------------------------

.PHONY: demo check deps
demo: deps  ## install what is missing, build, and show real work
	@$(MAKE) --no-print-directory all
	@tools/demo $(PROGRAM)
check: test-deps  ## install what is missing, build, run all tests
	@$(MAKE) --no-print-directory test
deps:
	@tools/install-deps build
.PHONY: test-deps
test-deps:
	@tools/install-deps build test

# --- building -----------------------------------------------------------------------

# Flags stamp: objects are made again when compiler or flags change.
FLAGS := $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(FLAGS))' > $@
FORCE:

# What the build needs is looked for once for each folder and set of flags.
PROBE = CC='$(CC)' CPPFLAGS='$(CPPFLAGS)' CFLAGS='$(CFLAGS) $(VFLAGS_$(VARIANT))' \
        LDFLAGS='$(LDFLAGS)' tools/probe
$(BUILD)/probe-%: tools/probe $(BUILD)/flags
	@$(PROBE) $*
	@touch $@

$(BUILD)/obj/%.o: %.c $(BUILD)/flags | $(BUILD)/probe-build
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

# The list of members is part of the stamp: a removed source file leaves the library.
$(BUILD)/members: FORCE
	@mkdir -p $(@D)
	@echo '$(OBJ)' | cmp -s - $@ || echo '$(OBJ)' > $@

$(LIB): $(OBJ) $(BUILD)/members
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(OBJ)

$(PROGRAM): $(MAINOBJ) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(MAINOBJ) $(LIB) $(LIBS)

$(HELPER): $(BUILD)/obj/kernels/helper/quern-qs.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< -lflint -lgmp -lm

# Not sanitized: an MPI library is full of what sanitizers take for leaks. What is left of
# another set of MPIs goes: a program uses what lies beside it.
$(BUILD)/libexec/quern-mpi-%.so: src/engine/comm_mpi.c src/engine/comm_ops.h $(BUILD)/mpis
	$(call say,MPI,$@)
	@mkdir -p $(@D)
	$(Q)OMPI_CC='$(CC)' MPICH_CC='$(CC)' mpicc.$* -std=c11 $(WARN) $(CPPFLAGS_OUR) $(CFLAGS) \
	  -fPIC -shared -o $@ $<
$(BUILD)/mpis: FORCE
	@mkdir -p $(@D)
	@echo '$(MPIS)' | cmp -s - $@ || { rm -f $(BUILD)/libexec/quern-mpi-*.so; echo '$(MPIS)' > $@; \
	  echo "  MPI   $(or $(MPIS),none): what mpirun and srun start will $(if $(MPIS),,not )find each other"; }
$(PROGRAM): | $(BUILD)/mpis

$(BUILD)/obj/tests/unit/%.o: tests/unit/%.c $(BUILD)/flags | $(BUILD)/probe-build $(BUILD)/probe-test
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

$(BUILD)/tests/test_%: $(BUILD)/obj/tests/unit/test_%.o $(LIB)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< $(LIB) $(LIBS) -lcunit -lflint $(NEEDS_$*)
NEEDS_sqlite := -lsqlite3

$(BUILD)/tests/bench_%: $(BUILD)/obj/tests/bench/bench_%.o $(LIB)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< $(LIB) $(LIBS) -lflint $(PEER_$*)
PEER_big := -lpari

# The network between the hosts of tests/cluster.
$(SWITCH): $(BUILD)/obj/tests/cluster/switch.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $<

# Simulated ranks (SimGrid): what decides about work, and what it needs, by smpicc.
SMPI     := $(BUILD)/smpi
SMPI_SRC := tests/smpi/scale.c $(wildcard src/base/*.c src/core/*.c src/sink/*.c src/source/*.c) \
            src/cmd/options.c $(addprefix src/engine/,comm.c comm_mpi.c dispatch.c feed.c \
            gather.c keep.c launcher.c manifest.c part.c placement.c share.c signals.c stats.c team.c wire.c work.c world.c) \
            $(addprefix kernels/arith/,big.c cpu.c decimal.c)
SMPI_LIBS := $(filter-out -lecm -lprimesieve,$(LIBS))
$(SMPI)/%.o: %.c $(BUILD)/flags
	$(call say,SMPI,$<)
	@mkdir -p $(@D)
	$(Q)smpicc -std=gnu11 -O2 $(CPPFLAGS_OUR) -MMD -MP -DSMPI_NO_OVERRIDE_MALLOC -fopenmp -c -o $@ $<
$(SMPI)/scale: $(SMPI_SRC:%.c=$(SMPI)/%.o)
	$(call say,SMPI,$@)
	$(Q)smpicc -s -o $@ $^ -fopenmp $(SMPI_LIBS)
$(SMPI)/cputime.so: tests/smpi/cputime.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE $(WARN) -O2 -fPIC -shared -o $@ $<
.PHONY: smpi
smpi: $(SMPI)/scale $(SMPI)/cputime.so  ## build the simulation of many ranks (needs SimGrid)
HAVE_SMPI := $(if $(filter release,$(VARIANT)),$(if $(shell command -v smpicc),smpi))

# A fuzz target has two mains: libFuzzer's (clang only), and one that replays a corpus.
$(BUILD)/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) -fsanitize=fuzzer $(LDFLAGS_ALL) -o $@ $< $(LIB) $(LIBS)

$(BUILD)/tests/replay_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/obj/tests/fuzz/replay.o $(LIB)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $(filter-out $(LIB),$^) $(LIB) $(LIBS)

.SECONDARY:

compile_commands.json: Makefile  ## for editors and analyzers
	@words() { for w; do printf '"%s", ' "$$(printf %s "$$w" | sed 's/[\\"]/\\&/g')"; done; }; \
	args=$$(words $(CC) $(CPPFLAGS_OUR) $(CPPFLAGS) $(CFLAGS_OUR) $(CFLAGS)); sep='['; \
	for f in $(TIDY) $(wildcard tests/*/*.c); do \
	  printf '%s\n{"directory": "%s", "file": "%s", "arguments": [%s"-c", "%s"]}' \
	    "$$sep" '$(CURDIR)' "$$f" "$$args" "$$f"; sep=','; done > $@; echo ']' >> $@

# --- tests --------------------------------------------------------------------------

RUN = BUILD=$(BUILD) VARIANT=$(VARIANT) QUERN=$(abspath $(PROGRAM)) FAULTY=$(abspath $(FAULTY)) SWITCH=$(abspath $(SWITCH)) CC='$(CC)' tests/run

.PHONY: arm64
arm64:  ## build for AArch64 and run the arithmetic there, in an emulator (T=test: only that one)
	@tools/install-deps build test arm64
	@$(MAKE) --no-print-directory all
	@tools/arm64 $(T)
.PHONY: test unit long units e2e programs faulty bench fuzz fuzzers
programs: all units faulty $(SWITCH) $(HAVE_SMPI)
test: programs  ## build, run unit and end-to-end tests (installs nothing)
	@$(RUN) unit e2e $(T)
units: $(UNITS) $(REPLAYS)  ## build the unit tests and the replays of the fuzzers' finds
unit: $(UNITS) $(REPLAYS) $(HELPER)  ## run the unit tests (T=test_NAME: only that one)
	@$(RUN) unit $(T)
long: $(UNITS) $(HELPER)  ## the unit tests at length, for hours: all below 2^32, 10^7 numbers a class (T=)
	@TEST_SCALE=$${TEST_SCALE:-125} SECONDS_MAX=86400 $(RUN) unit $(T)
e2e: all faulty $(SWITCH) $(HAVE_SMPI)  ## run the end-to-end tests (T=TOPIC: only that one)
	@$(RUN) e2e $(T)
# The program with faults built in: some end-to-end tests ask for it.
faulty:
	@$(MAKE) --no-print-directory VARIANT=fault BUILD=build/fault all
# T=NAME fuzzes only that target, FUZZ_SECONDS=1200 for longer. tests/fuzz/README.md.
FUZZ_SECONDS ?= 60
fuzz:  ## fuzz the parsers with clang's libFuzzer (FUZZ_SECONDS=60 each, T=NAME: only that one)
	@$(MAKE) --no-print-directory CC=clang VARIANT=fuzz fuzzers
	@tests/fuzz/run build/fuzz $(FUZZ_SECONDS) $(T)
fuzzers: $(FUZZERS)
# ROWS="p64 semi64" measures only those, BENCH_SCALE=0.2 with less work.
bench:  ## install the peers, measure quern beside them, print the table (ROWS=, BENCH_SCALE=)
	@tools/install-deps build bench
	@$(MAKE) --no-print-directory benches
	@tests/bench/bench.py $(BUILD) $(ROWS)
	@test -n "$(ROWS)" || $(MAKE) --no-print-directory bench-fetch
# ROWS="pages small large many limited": those rows.
bench-fetch:  ## of these, the part about fetching (ROWS=, BENCH_SCALE=)
	@tools/install-deps build bench
	@$(MAKE) --no-print-directory all
	@tests/bench/bench_fetch.py $(BUILD) $(ROWS)
bench-ranks:  ## what rank 0 pays for other ranks, and how many it can serve
	@$(MAKE) --no-print-directory all $(BUILD)/tests/bench_rank0 $(BUILD)/tests/bench_data
	@tests/bench/bench_rank0.py $(BUILD)
	@tests/bench/bench_hybrid.py $(BUILD)
.PHONY: benches bench-fetch bench-ranks
benches: all $(BENCHES)

# --- rules of the house -------------------------------------------------------------

.PHONY: lint check-format check-layers check-headers check-style check-docs check-scripts tidy cppcheck format
lint: check-format check-layers check-headers check-style check-docs check-scripts tidy cppcheck  ## all checks of the source
check-layers:  ## who may include whom
	@tools/check-layers
check-headers: | $(BUILD)/probe-build $(BUILD)/probe-test  ## every header stands on its own
	@CC='$(CC)' tools/check-headers $(CPPFLAGS_OUR) $(CPPFLAGS) $(CFLAGS_OUR) -Werror
check-style:  ## lengths, banned functions, blanks
	@tools/check-style
check-docs: $(PROGRAM)  ## README and manual against --help
	@tools/check-docs $(PROGRAM)
	@mandoc -Tlint -W warning $(MANPAGE)
check-format:
	@clang-format --dry-run -Werror $(C_FILES)
check-scripts:
	@shellcheck -x -P SCRIPTDIR -S warning .ci/run tests/run tests/fuzz/run tests/e2e/*.sh tests/net/*.sh \
	  tests/cluster/*.sh tests/smpi/run slurm/*.sbatch \
	  $$(grep -lE '^#!.*(bash|sh)$$' tools/*)
# One file a process: clang-tidy 14 carries the state of va_list over from file to file.
tidy: .clang-tidy compile_commands.json
	@printf '%s\n' $(TIDY) | xargs -P "$$(nproc)" -n 1 clang-tidy --quiet -p . 2>/dev/null
# Reports only: what it says is read, not obeyed. tools/cppcheck.suppress has reasons.
cppcheck:
	@cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
	  --suppressions-list=tools/cppcheck.suppress -Isrc -Ikernels -D_GNU_SOURCE $(TIDY)
format:  ## lay the code out with clang-format
	clang-format -i $(C_FILES)

# --- shipping -----------------------------------------------------------------------

MANPAGE := docs/quern.1
JOBFILES := $(wildcard jobs/*.job)
JOBDATA := $(wildcard jobs/data/*)
BINDIR  := $(DESTDIR)$(PREFIX)/bin
EXECDIR := $(DESTDIR)$(PREFIX)/libexec/quern
MANDIR  := $(DESTDIR)$(PREFIX)/share/man/man1
JOBDIR  := $(DESTDIR)$(PREFIX)/share/quern/jobs
SLURMDIR := $(DESTDIR)$(PREFIX)/share/quern/slurm
BASHDIR := $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSHDIR  := $(DESTDIR)$(PREFIX)/share/zsh/site-functions

.PHONY: install uninstall dist clean help
install: all  ## install below $(DESTDIR)$(PREFIX) (PREFIX=/usr/local)
	install -d $(BINDIR) $(EXECDIR)
	install -m 755 $(PROGRAM) $(BINDIR)/quern
	install -m 755 $(HELPER) $(EXECDIR)/quern-qs
	for m in $(MODULES); do install -m 644 $$m $(EXECDIR)/ || exit 1; done
	install -d $(MANDIR) $(JOBDIR)/data $(SLURMDIR)
	install -m 644 $(MANPAGE) $(MANDIR)/
	install -m 644 $(JOBFILES) $(JOBDIR)/
	install -m 644 $(JOBDATA) $(JOBDIR)/data/
	install -m 644 slurm/*.sbatch $(SLURMDIR)/
	install -d $(BASHDIR) $(ZSHDIR)
	$(PROGRAM) completion bash > $(BASHDIR)/quern
	$(PROGRAM) completion zsh > $(ZSHDIR)/_quern
uninstall:  ## remove what install put there
	rm -f $(BINDIR)/quern $(MANDIR)/quern.1 $(BASHDIR)/quern $(ZSHDIR)/_quern
	rm -rf $(EXECDIR) $(DESTDIR)$(PREFIX)/share/quern
dist:  ## a tar file of the committed tree
	@mkdir -p $(BUILD)
	git archive --prefix=quern-$(VERSION)/ -o $(BUILD)/quern-$(VERSION).tar.gz HEAD
clean:  ## remove the build folder
	rm -rf build compile_commands.json
help:  ## this list
	@awk -F ':.*## ' '/^[a-z0-9_.-]+:.*## / { printf "  %-22s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

-include $(shell find $(BUILD)/obj $(BUILD)/smpi -name '*.d' 2>/dev/null)
