# Builds the fuzz targets with clang in the current folder. tests/fuzz/run calls make -f targets.mk ROOT=...
# SPDX-License-Identifier: MIT
CC = clang
PACKAGES = libprotobuf-c jansson libsodium libnats openssl libutf8proc
ROOMS = base http bus ballot
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all
CFLAGS = -std=gnu17 -g -O1 -fno-omit-frame-pointer -Wall -Wextra -Wno-unused-parameter \
  -Wno-missing-field-initializers -D_GNU_SOURCE $(SANITIZE) \
  $(ROOMS:%=-I$(ROOT)/common/%/include) $(ROOMS:%=-I$(ROOT)/common/%) -I$(ROOT)/vote-api -I. $(shell pkg-config --cflags $(PACKAGES))
LDLIBS = $(shell pkg-config --libs $(PACKAGES)) -lpthread

TARGETS = $(basename $(notdir $(wildcard $(ROOT)/tests/fuzz/fuzz_*.c)))
PROTO = ballot codes poll tally
OBJECTS = $(addprefix o/, address.o bus.o bus_bucket.o bus_consumer.o bus_read.o bus_receive.o bus_setup.o clock.o json.o keys.o log.o poll_definition.o status.o wire.o wire_poll.o selection.o poll_form.o poll_edit.o text_rules.o problem.o \
  $(PROTO:=.pb-c.o))

all: $(TARGETS) make_seeds

o:
	mkdir -p o

$(PROTO:=.pb-c.c) &: $(PROTO:%=$(ROOT)/proto/%.proto)
	protoc-c --proto_path=$(ROOT)/proto --c_out=. $^

vpath %.c $(ROOMS:%=$(ROOT)/common/%) $(ROOT)/vote-api/ballots $(ROOT)/vote-api/polls $(ROOT)/tests/fuzz
HEADERS = $(wildcard $(ROOT)/common/*/*.h $(ROOT)/common/*/include/*/*.h $(ROOT)/vote-api/*/*.h $(ROOT)/tests/fuzz/*.h)

o/%.pb-c.o: %.pb-c.c | o
	$(CC) $(CFLAGS) -w -fsanitize=fuzzer-no-link -c -o $@ $<
o/%.o: %.c $(HEADERS) $(PROTO:=.pb-c.c) | o
	$(CC) $(CFLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<

fuzz_%: fuzz_%.c $(OBJECTS)
	$(CC) $(CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)
make_seeds: make_seeds.c $(OBJECTS)
	$(CC) $(CFLAGS) -o $@ $^ -fsanitize=fuzzer-no-link $(LDLIBS)
