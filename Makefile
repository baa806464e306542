# make build         ipitrace, optimised, at .build/release/ipitrace
# make demo          replays a recording of a real kernel: a report here, demo/report.html and demo/report.json
# make test          all tests
# make test-release  the tests of the modules that run hot, as they are when optimised
# make bench         speed and memory: beside trace-cmd and libtracecmd, on millions of events, as text, on up to 1,024
#                    CPUs; beside spin, on millions of states; of the simulation, on millions of calls. Every goal, met
#                    or missed. About half an hour
# make bench-quick   the first of these alone, with fewer events
# make bench-check   what does not depend on the machine's mood: instructions and bytes, held against known figures
# make fuzz          feeds every parser what a fuzzer makes up, until each had SECONDS=60; TARGET=… for one of them
# make promela       the engines once more, as Promela models explored by spin: do both say the same?
# make lint          style, undeclared imports, warnings of the compiler, shell scripts
# make format        puts the sources into the project's style
# make lab           records every scenario in the guest machine, into .build/lab, and holds it against the truth
# make lab-short     the same, with two scenarios
# make lab-recorders what ipitrace record costs in the guest, beside trace-cmd record
# make soak          MINUTES=30: records this machine in pieces under load, replays each; needs root
# make static        ipitrace in one file that needs no library, at .build/static/ipitrace
# make man           the manual pages, in .build/man
# make completions   completions for bash, zsh and fish, in .build/completions
# make clean         removes what all of these made
#
# Packages that are missing are installed with apt-get, where there is one: as root, or with sudo.

BUILD_PACKAGES := libtraceevent-dev libtracefs-dev libzstd-dev zlib1g-dev pkg-config
TEST_PACKAGES := $(BUILD_PACKAGES) trace-cmd chromium python3
PROMELA_PACKAGES := $(BUILD_PACKAGES) spin gcc libc6-dev python3
# The compiler is the one that Debian's kernel is built with: the guest's module must be as well.
LAB_PACKAGES := $(BUILD_PACKAGES) qemu-system-x86 cpio make gcc gcc-12 libc6-dev trace-cmd python3
BENCH_PACKAGES := $(PROMELA_PACKAGES) libtracecmd-dev trace-cmd chromium python3
COUNT_PACKAGES := $(BUILD_PACKAGES) valgrind trace-cmd python3

DEMO_CAPTURE := fixtures/captures/guest-6.12-8cpu-hotplug.dat
HOT_TESTS := TraceDecodingTests CallHistoriesTests CallEnginesTests DriversTests
SCENARIOS := $(basename $(notdir $(wildcard Tests/Lab/scenarios/*.scenario)))
SHORT_SCENARIOS := mixed coalescing
SCRIPTS := .ci/run Tests/Lab/run Tests/Lab/record-host Tests/Lab/guest/truth Tests/Lab/guest/init Tests/Lab/run-arm64 \
  Tests/Promela/run Tests/Fuzz/build Tests/Fuzz/run Tests/Fuzz/ledger Tests/Lab/compare-recorders

# Other flags make another build; with a directory of its own it does not throw the usual one away.
STATIC_BUILD := swift build -c release --product ipitrace --scratch-path .build/static-build \
  --static-swift-stdlib -Xswiftc -static-executable
TESTABLE_RELEASE := -c release --scratch-path .build/testable-release

.PHONY: build demo test test-release bench bench-quick bench-check fuzz promela lint format lab lab-short lab-recorders soak static \
  man completions clean \
  build-packages test-packages bench-packages bench-check-packages promela-packages lab-packages

build: build-packages
	swift build -c release --product ipitrace

demo: build
	mkdir -p demo
	.build/release/ipitrace replay $(DEMO_CAPTURE) --html demo/report.html --json demo/report.json

test: test-packages
	swift test

test-release: test-packages
	swift test $(TESTABLE_RELEASE) $(addprefix --filter ,$(HOT_TESTS))

bench: bench-packages build
	status=0; for part in run explore simulate record; do Tests/Benchmarks/$$part || status=1; done; exit $$status

bench-quick: bench-packages build
	Tests/Benchmarks/run --quick

bench-check: bench-check-packages build
	Tests/Benchmarks/counts

SECONDS ?= 60

fuzz: build-packages
	Tests/Fuzz/build
	Tests/Fuzz/run $(SECONDS) $(TARGET)

promela: promela-packages build
	Tests/Promela/run

# The compiler repeats no warning for what it need not compile again: .ci/run makes it.
lint: build-packages
	swift format lint --strict --recursive Sources Tests
	mkdir -p .build
	swift build --build-tests --explicit-target-dependency-import-check error >.build/lint.log 2>&1 \
	  || { cat .build/lint.log; exit 1; }
	@! grep 'warning:' .build/lint.log
	if command -v shellcheck >/dev/null; then shellcheck $(SCRIPTS); fi
	for script in $(SCRIPTS); do bash -n "$$script" || exit; done

format:
	swift format --in-place --recursive Sources Tests

lab: lab-packages build
	Tests/Lab/run $(SCENARIOS) --out .build/lab

lab-short: lab-packages build
	Tests/Lab/run $(SHORT_SCENARIOS) --out .build/lab-short

lab-recorders: lab-packages build
	Tests/Lab/compare-recorders

MINUTES := 30
soak: bench-packages build
	Tests/Soak/run --minutes $(MINUTES)

static: build-packages
	$(STATIC_BUILD)
	mkdir -p .build/static
	cp "$$($(STATIC_BUILD) --show-bin-path)/ipitrace" .build/static/ipitrace

man: build-packages
	swift package --scratch-path .build/man-build generate-manual --multi-page
	mkdir -p .build/man
	find .build/man-build -name '*.1' -exec cp {} .build/man/ ';'

completions: build
	mkdir -p .build/completions
	.build/release/ipitrace --generate-completion-script bash >.build/completions/ipitrace.bash
	.build/release/ipitrace --generate-completion-script zsh >.build/completions/_ipitrace
	.build/release/ipitrace --generate-completion-script fish >.build/completions/ipitrace.fish

clean:
	rm -rf .build demo Tests/Benchmarks/.build

# $(call install,PACKAGE…): asks dpkg first, so that nothing is done, and no right is needed, where all are there.
define install
@missing=; \
for package in $(1); do \
  dpkg-query -W -f '$${db:Status-Status}\n' "$$package" 2>/dev/null | grep -qx installed \
    || missing="$$missing $$package"; \
done; \
if [ -z "$$missing" ]; then exit 0; fi; \
if ! command -v apt-get >/dev/null; then \
  echo "no apt-get here; make sure that these, or what they are called here, are installed: $(1)" >&2; exit 0; \
fi; \
echo "installing:$$missing"; \
as_root=; if [ "$$(id -u)" != 0 ]; then as_root=sudo; fi; \
$$as_root apt-get update -q \
  && $$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing
endef

build-packages:
	$(call install,$(BUILD_PACKAGES))

test-packages:
	$(call install,$(TEST_PACKAGES))

bench-packages:
	$(call install,$(BENCH_PACKAGES))

bench-check-packages:
	$(call install,$(COUNT_PACKAGES))

promela-packages:
	$(call install,$(PROMELA_PACKAGES))

lab-packages:
	$(call install,$(LAB_PACKAGES))
