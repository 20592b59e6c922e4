/*
 * A driver of a vGPU's PCI function in user space, for Linux in a virtual machine: it asks the host for a device and a queue by the
 * ring of commands, attaches the queue to two rings in its own memory, sends a program through it, and checks what comes back.
 *
 *   vgpu-driver vfio GROUP ADDRESS PROGRAM RESULTS [RUNS]      through Linux' vfio-pci and an IOMMU, told by MSI-X
 *   vgpu-driver physical ADDRESS PROGRAM RESULTS [RUNS]        by physical addresses, looking again and again
 *
 * PROGRAM: records of a queue, as they are sent. RESULTS: bytes that have to come back, 4 KiB for each mapping, in this order. Each of
 * RUNS makes a process, a device and a queue of its own. Ends with 0 when all was right, 2 when it was asked to leave, 1 otherwise.
 * The layout of registers and rings is told in docs/vfio-devices.md, that of messages in docs/protocol.md.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { STATUS = 0x08, CONTROL = 0x0c, COMMAND_BASE = 0x10, COMMAND_SLOTS = 0x18, COMMAND_DOORBELL = 0x1c, ANSWERED_COUNT = 0x20 };
enum { NOTICE_BASE = 0x28, NOTICE_SLOTS = 0x30, NOTICE_DOORBELL = 0x34, NOTICES_PUT = 0x38 };
enum { QUEUE = 0x3000, SENT = 0, TAKEN = 4, RECEIVED = 8, CONSUMED = 12, STATE = 16 };
enum { VGPU, MACHINE, QUEUES };
enum { ANSWERED, NOTICE, MOVED, LEAVE, EVENTS };
static const char *const events[EVENTS] = { "answered", "notice", "moved", "leave" };

/* What is where in the shared memory: 2 MiB, one huge page. */
enum { MEMORY = 0x200000, SLOTS = 16, COMMANDS_AT = 0, NOTICES_AT = 0x1000, NOTICE_BYTES = 8192 };
enum { REQUEST_AT = 0x40000, REPLY_AT = 0x50000, ROOM = 0x10000, RING = 0x80000, SEND_AT = 0x80000, RECEIVE_AT = 0x100000 };

static volatile uint8_t *registers;
static uint8_t *memory;
static uint64_t address; /* of the memory, for the device */
static int event[EVENTS] = { -1, -1, -1, -1 };
static unsigned told[EVENTS];
static uint32_t put, noticed, sent, consumed;

static _Noreturn void fail(const char *format, ...)
{
	va_list words;
	printf("DRIVER: failed: ");
	va_start(words, format);
	vprintf(format, words);
	va_end(words);
	printf("%s%s\n", errno ? ": " : "", errno ? strerror(errno) : "");
	exit(1);
}

static uint32_t get(uint32_t offset) { return *(volatile uint32_t *)(registers + offset); }
static void set(uint32_t offset, uint32_t value) { *(volatile uint32_t *)(registers + offset) = value; }
static uint32_t word(const uint8_t *from) { uint32_t v; memcpy(&v, from, 4); return v; }
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }

/* Takes out all notices that have come. */
static void notices(void)
{
	for (; get(NOTICES_PUT) - noticed - 1 < 4; set(NOTICE_DOORBELL, ++noticed))
		printf("DRIVER: notice %u\n", word(memory + NOTICES_AT + noticed % 4 * NOTICE_BYTES));
}

/* Waits for an interrupt, or a moment where there are none. Ends the program where it is asked to leave, and when nothing helps. */
static void wait_since(double since)
{
	struct pollfd polls[EVENTS];
	uint64_t count;
	if (now() - since > 60)
		fail("nothing has happened for a minute; status %x", get(STATUS));
	if (event[ANSWERED] < 0) {
		usleep(500);
	} else {
		for (int i = 0; i < EVENTS; i++)
			polls[i] = (struct pollfd){ .fd = event[i], .events = POLLIN };
		if (poll(polls, EVENTS, 5000) == 0)
			fail("no interrupt for 5 s; status %x, %u of %u commands answered; queue: %u of %u bytes taken, %u received",
			     get(STATUS), get(ANSWERED_COUNT), put, get(QUEUE + TAKEN), sent, get(QUEUE + RECEIVED));
		for (int i = 0; i < EVENTS; i++)
			if (polls[i].revents & POLLIN && read(event[i], &count, 8) == 8)
				told[i] += count;
	}
	if (told[LEAVE]) {
		printf("DRIVER: asked to leave\n");
		exit(2);
	}
	if ((get(STATUS) & ~4u) != 1) /* ready, and not failed; a notice may have been lost */
		fail("status %x", get(STATUS));
	notices();
}

/* --- the two ways to a PCI function --- */

static void open_physical(const char *name)
{
	char path[256];
	uint64_t page;
	uint16_t command;
	snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/config", name);
	int config = open(path, O_RDWR);
	if (config < 0 || pread(config, &command, 2, 4) != 2)
		fail("%s", path);
	command |= 6; /* memory space, bus master */
	if (pwrite(config, &command, 2, 4) != 2)
		fail("%s", path);
	snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/resource0", name);
	int resource = open(path, O_RDWR | O_SYNC);
	registers = mmap(NULL, 0x4000, PROT_READ | PROT_WRITE, MAP_SHARED, resource, 0);
	if (resource < 0 || registers == MAP_FAILED)
		fail("%s", path);
	int pages = open("/proc/self/pagemap", O_RDONLY);
	if (pages < 0 || pread(pages, &page, 8, (uintptr_t)memory / 4096 * 8) != 8 || !(page >> 63))
		fail("/proc/self/pagemap");
	address = (page & ((1ULL << 55) - 1)) * 4096;
}

static void open_vfio(const char *group_path, const char *name)
{
	int container = open("/dev/vfio/vfio", O_RDWR), group = open(group_path, O_RDWR);
	if (container < 0 || group < 0)
		fail("/dev/vfio/vfio or %s", group_path);
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) || ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		fail("the container");
	address = 0x12340000; /* in the middle of a huge page: 512 mappings of 4 KiB for whoever follows the IOMMU */
	struct vfio_iommu_type1_dma_map map = { .argsz = sizeof map, .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory, .iova = address, .size = MEMORY };
	if (ioctl(container, VFIO_IOMMU_MAP_DMA, &map))
		fail("VFIO_IOMMU_MAP_DMA");
	int device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);
	if (device < 0)
		fail("VFIO_GROUP_GET_DEVICE_FD %s", name);
	printf("DRIVER: reset of the function: %s\n", ioctl(device, VFIO_DEVICE_RESET) ? strerror(errno) : "done");
	struct vfio_region_info config = { .argsz = sizeof config, .index = VFIO_PCI_CONFIG_REGION_INDEX };
	struct vfio_region_info bar = { .argsz = sizeof bar, .index = VFIO_PCI_BAR0_REGION_INDEX };
	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config) || ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &bar))
		fail("VFIO_DEVICE_GET_REGION_INFO");
	uint16_t command = 6; /* memory space, bus master */
	if (pwrite(device, &command, 2, config.offset + 4) != 2)
		fail("the command register");
	registers = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device, bar.offset);
	if (registers == MAP_FAILED)
		fail("base address 0");
	struct { struct vfio_irq_set set; int fds[EVENTS]; } irqs = { .set = { .argsz = sizeof irqs.set + 3 * 4,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, .index = VFIO_PCI_MSIX_IRQ_INDEX, .count = 3 } };
	for (int i = 0; i < EVENTS; i++)
		irqs.fds[i] = event[i] = eventfd(0, EFD_CLOEXEC);
	if (ioctl(device, VFIO_DEVICE_SET_IRQS, &irqs))
		fail("MSI-X");
	irqs.set.argsz = sizeof irqs.set + 4;
	irqs.set.index = VFIO_PCI_REQ_IRQ_INDEX;
	irqs.set.count = 1;
	irqs.fds[0] = event[LEAVE];
	if (ioctl(device, VFIO_DEVICE_SET_IRQS, &irqs))
		fail("the request interrupt");
}

/* --- commands --- */

/* Asks and waits. Returns the reply's length. */
static uint32_t ask(const char *what, uint32_t channel, uint32_t type, uint32_t process, const void *body, uint32_t bytes, void *reply, uint32_t room)
{
	uint8_t *slot = memory + COMMANDS_AT + put % SLOTS * 64;
	uint32_t head[9] = { channel, type, process, bytes };
	uint64_t bases[2] = { address + REQUEST_AT, address + REPLY_AT };
	memcpy(memory + REQUEST_AT, body, bytes);
	memset(slot, 0, 64);
	memcpy(head + 4, bases, 16);
	head[8] = ROOM;
	memcpy(slot, head, sizeof head);
	__sync_synchronize();
	double since = now();
	set(COMMAND_DOORBELL, ++put);
	while (*(volatile uint32_t *)(slot + 56) == 0)
		wait_since(since);
	__sync_synchronize();
	int32_t status = word(slot + 48);
	uint32_t length = word(slot + 52);
	errno = 0;
	if (status < 0)
		fail("%s: status %x: %.*s", what, status, (int)length, memory + REPLY_AT);
	memcpy(reply, memory + REPLY_AT, length < room ? length : room);
	return length;
}

/* --- a queue --- */

static uint8_t *arrived; /* bytes of records, without the frames' heads */
static size_t arrived_bytes, frame_left;
static uint8_t head[8];
static unsigned head_bytes;

/* Takes the frames apart that the engine sends; docs/protocol.md, "Carriers". */
static void deframe(const uint8_t *from, size_t bytes)
{
	while (bytes > 0) {
		size_t part = frame_left ? frame_left : 8 - head_bytes;
		if (part > bytes)
			part = bytes;
		memcpy(frame_left ? arrived + arrived_bytes : head + head_bytes, from, part);
		if (frame_left) {
			arrived_bytes += part;
			frame_left -= part;
		} else if ((head_bytes += part) == 8) {
			head_bytes = 0;
			if (word(head) == 1)
				frame_left = word(head + 4);
		}
		from += part;
		bytes -= part;
	}
}

/* All that the queue's ring has: into frames, or plain. Returns how many bytes. */
static size_t take(uint8_t *plain)
{
	uint32_t bytes = get(QUEUE + RECEIVED) - consumed, at = consumed % RING;
	uint32_t first = bytes < RING - at ? bytes : RING - at;
	if (bytes > RING) /* all ones are read of a function that has gone */
		fail("%u bytes in a ring of %u; status %x", bytes, RING, get(STATUS));
	__sync_synchronize();
	for (int i = 0; i < 2; i++) {
		const uint8_t *from = memory + RECEIVE_AT + (i ? 0 : at);
		uint32_t part = i ? bytes - first : first;
		if (plain)
			memcpy(plain + (i ? first : 0), from, part);
		else
			deframe(from, part);
	}
	consumed += bytes;
	if (bytes > 0)
		set(QUEUE + CONSUMED, consumed);
	if (get(QUEUE + STATE) != 1 && bytes == 0)
		fail("the queue has ended");
	return bytes;
}

static void send_bytes(const uint8_t *from, size_t bytes)
{
	double since = now();
	while (bytes > 0) {
		uint32_t room = RING - (sent - get(QUEUE + TAKEN)), at = sent % RING;
		uint32_t part = room < RING - at ? room : RING - at;
		if (part > bytes)
			part = bytes;
		if (part == 0) {
			if (take(NULL) == 0)
				wait_since(since);
			continue;
		}
		memcpy(memory + SEND_AT + at, from, part);
		__sync_synchronize();
		set(QUEUE + SENT, sent += part);
		from += part;
		bytes -= part;
		since = now();
	}
}

/* A process, a device of it, a queue of that, attached; the program sent, its results compared. */
static void run(const uint8_t *program, size_t program_bytes, const uint8_t *results, size_t result_bytes)
{
	static const char wish[] = "{\"label\":\"\",\"requiredFeatures\":[],\"requiredLimits\":{},\"defaultQueueLabel\":\"\"}";
	uint8_t body[256] = { 0 }, reply[4096];
	const uint32_t wish_bytes = sizeof wish - 1, driver[] = { 1, 0 };
	ask("create a process", MACHINE, 1000, 0, driver, 8, reply, sizeof reply);
	uint32_t process = word(reply);
	memcpy(body + 8, &wish_bytes, 4); /* behind `device` and `flags` */
	memcpy(body + 12, wish, wish_bytes);
	ask("create a device", VGPU, 0, process, body, 12 + wish_bytes, reply, sizeof reply);
	uint32_t device = word(reply);
	ask("create a context", VGPU, 6, process, &device, 4, reply, sizeof reply);
	uint32_t context = word(reply);
	ask("create a queue", VGPU, 50, process, &context, 4, reply, sizeof reply);
	const uint8_t *token = reply + 12 + word(reply + 8), *identity = token + 16 + 8; /* behind the endpoint; behind two words */
	const uint64_t bases[] = { address + SEND_AT, address + RECEIVE_AT };
	uint32_t attach[8] = { 0, RING };
	memcpy(attach + 2, bases, 16);
	attach[6] = RING;
	uint8_t none[256];
	ask("attach", QUEUES, 1, 0, attach, 32, none, sizeof none);
	sent = consumed = arrived_bytes = frame_left = head_bytes = 0;

	uint8_t hello[256] = { 0 }, *end = hello + 4;
	const uint32_t first[] = { 0x200, 1 }, geometry[] = { 8, 8 << 20, 8 << 20 };
	memcpy(end, first, 8), end += 8;
	memcpy(end, token, 16), end += 16 + 8 + 4; /* no features, no memory to share */
	memcpy(end, geometry, 12), end += 12;
	memcpy(end, identity, 24), end += 24;
	*(uint32_t *)hello = end - hello;
	send_bytes(hello, end - hello);
	uint8_t answer[RING];
	size_t got = 0;
	double since = now();
	while (got < 4 || got < word(answer)) {
		size_t part = take(answer + got);
		if (part == 0)
			wait_since(since);
		got += part;
	}
	errno = 0;
	if ((int32_t)word(answer + 12) < 0)
		fail("the queue's hello: status %d", (int32_t)word(answer + 12));
	deframe(answer + word(answer), got - word(answer));

	const uint32_t frame[] = { 1, program_bytes };
	send_bytes((const uint8_t *)frame, 8);
	send_bytes(program, program_bytes);
	size_t looked = 0;
	since = now();
	for (size_t done = 0; done < result_bytes;) {
		uint8_t *found = arrived_bytes - looked < 4096 ? NULL : memmem(arrived + looked, arrived_bytes - looked, results + done, 4096);
		if (found) {
			looked = found + 4096 - arrived;
			done += 4096;
			since = now();
		} else if (take(NULL) == 0) {
			if (event[ANSWERED] < 0 && now() - since > 30)
				fail("result %zu of %zu has not come; %zu bytes did", done / 4096, result_bytes / 4096, arrived_bytes);
			wait_since(since);
		}
	}
	notices();
	const uint32_t queue = 0;
	ask("detach", QUEUES, 2, 0, &queue, 4, none, sizeof none);
	ask("end the process", MACHINE, 1001, process, NULL, 0, none, sizeof none);
}

static uint8_t *file(const char *path, size_t *bytes)
{
	struct stat info;
	int fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &info))
		fail("%s", path);
	*bytes = info.st_size;
	return mmap(NULL, info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
}

int main(int count, char **words)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	int vfio = count > 1 && !strcmp(words[1], "vfio"), at = vfio ? 4 : 3;
	if (count < at + 2 || (!vfio && strcmp(words[1], "physical")))
		return fprintf(stderr, "usage: vgpu-driver vfio GROUP|physical ADDRESS PROGRAM RESULTS [RUNS]\n"), 64;
	size_t program_bytes, result_bytes;
	const uint8_t *program = file(words[at], &program_bytes), *results = file(words[at + 1], &result_bytes);
	int runs = count > at + 2 ? atoi(words[at + 2]) : 1;
	arrived = malloc(8 << 20);
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED)
		fail("a huge page (hugepages=2 on the kernel's command line)");
	if (vfio)
		open_vfio(words[2], words[3]);
	else
		open_physical(words[2]);
	if (get(0) != 0x70676870)
		fail("%x at 0 of the registers", get(0));

	const uint64_t bases[] = { address + COMMANDS_AT, address + NOTICES_AT };
	set(CONTROL, 0);
	for (int i = 0; i < 2; i++) {
		set(COMMAND_BASE + 4 * i, bases[0] >> 32 * i);
		set(NOTICE_BASE + 4 * i, bases[1] >> 32 * i);
	}
	set(COMMAND_SLOTS, SLOTS);
	set(NOTICE_SLOTS, 4);
	set(CONTROL, 3);
	printf("DRIVER: begins, memory at %llx\n", (unsigned long long)address);
	for (int i = 0; i < runs; i++) {
		double since = now();
		run(program, program_bytes, results, result_bytes);
		printf("DRIVER: run %d: %zu results, %zu bytes sent, all as computed, %.1f s\n", i + 1, result_bytes / 4096, program_bytes, now() - since);
	}
	for (int i = 0; i < 3 && event[ANSWERED] >= 0; i++)
		printf("DRIVER: interrupt %s: %u\n", events[i], told[i]);
	set(CONTROL, 0);
	printf("DRIVER: done\n");
	return 0;
}
