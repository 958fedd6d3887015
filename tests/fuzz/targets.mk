# Builds the fuzz targets with clang in the current folder. tests/fuzz/run calls make -f targets.mk ROOT=...
# SPDX-License-Identifier: MIT
CC = clang
PACKAGES = libprotobuf-c jansson libsodium libnats openssl libutf8proc
ROOMS = base bus ballot
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all
CFLAGS = -std=gnu17 -g -O1 -fno-omit-frame-pointer -Wall -Wextra -Wno-unused-parameter \
  -Wno-missing-field-initializers -D_GNU_SOURCE $(SANITIZE) \
  $(patsubst %,-I$(ROOT)/common/%/include,$(ROOMS) http) -I$(ROOT)/vote-api -I. -DSCRUTIN_VERSION='""' $(shell pkg-config --cflags $(PACKAGES))
LDLIBS = $(shell pkg-config --libs $(PACKAGES)) -lpthread

TARGETS = $(basename $(notdir $(wildcard $(ROOT)/tests/fuzz/fuzz_*.c)))
PROTO = ballot codes poll tally
# Whole rooms, so that no list of files needs care; of http and vote-api only what a target reads.
SOURCES = $(wildcard $(ROOMS:%=$(ROOT)/common/%/*.c)) $(addprefix $(ROOT)/, common/http/address.c common/http/problem.c \
  vote-api/ballots/selection.c vote-api/polls/poll_edit.c vote-api/polls/poll_form.c vote-api/polls/text_rules.c)
OBJECTS = $(patsubst %.c,o/%.o,$(notdir $(SOURCES))) $(PROTO:%=o/%.pb-c.o)

all: $(TARGETS) make_seeds

o:
	mkdir -p o

$(PROTO:=.pb-c.c) &: $(PROTO:%=$(ROOT)/proto/%.proto)
	protoc-c --proto_path=$(ROOT)/proto --c_out=. $^

vpath %.c $(sort $(dir $(SOURCES))) $(ROOT)/tests/fuzz
HEADERS = $(wildcard $(ROOT)/common/*/*.h $(ROOT)/common/*/include/*/*.h $(ROOT)/vote-api/*/*.h $(ROOT)/tests/fuzz/*.h)

o/%.pb-c.o: %.pb-c.c | o
	$(CC) $(CFLAGS) -w -fsanitize=fuzzer-no-link -c -o $@ $<
o/%.o: %.c $(HEADERS) $(PROTO:=.pb-c.c) | o
	$(CC) $(CFLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<

rooms.a: $(OBJECTS)
	rm -f $@ && ar rcs $@ $^

fuzz_%: fuzz_%.c rooms.a
	$(CC) $(CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)
make_seeds: make_seeds.c rooms.a
	$(CC) $(CFLAGS) -o $@ $^ -fsanitize=fuzzer-no-link $(LDLIBS)
