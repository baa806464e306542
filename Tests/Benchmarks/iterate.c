/*
 * Goes through all events of a trace file with libtracecmd, in the order of time, and only counts them: the least that a
 * program built on that library does. A peer for the benchmark.
 */
#include <stdint.h>
#include <stdio.h>
#include <trace-cmd/trace-cmd.h>

static int count(struct tracecmd_input *input, struct tep_record *record, int cpu, void *context)
{
	uint64_t *events = context;

	(void)input;
	(void)record;
	(void)cpu;
	++*events;
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t events = 0;

	if (argc != 2) {
		fprintf(stderr, "usage: %s TRACE\n", argv[0]);
		return 2;
	}
	tracecmd_set_loglevel(TEP_LOG_ERROR);
	struct tracecmd_input *input = tracecmd_open(argv[1], 0);
	if (!input) {
		fprintf(stderr, "%s: can't be opened\n", argv[1]);
		return 1;
	}
	int result = tracecmd_iterate_events(input, NULL, 0, count, &events);
	printf("%llu\n", (unsigned long long)events);
	tracecmd_close(input);
	return result != 0;
}
